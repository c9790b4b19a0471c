"""Models of a file, by name, with parameters bound."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from s2mlp_dsl.bounds import FLOAT_BYTES, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import limits as exceeded
from s2mlp_dsl.diagnostics.catalogue.names import NO_MODEL, VARIANT_CYCLE
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import Given, bind, match_arguments
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator, Steps
from s2mlp_dsl.elaborate.expand import Expander
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.resolve import wrong_declaration
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.frontend import parse_expression, tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.walk import fold, within
from s2mlp_dsl.operators import applied
from s2mlp_dsl.source import Source, Span

# Levels of variants for one of nesting: they take time, and none of Python's stack.
_VARIANTS = 4

Overrides = Mapping[str, tree.Expr]


@dataclass(frozen=True, slots=True)
class Base:
    """A model with a body, reached through its variants.

    `given` are the arguments that the variants fix, each with the environment that it
    is evaluated in.
    """

    declared: Declared
    call: tree.Call
    given: dict[str, Given] = field(default_factory=dict)

    @property
    def params(self) -> tuple[tree.Param, ...]:
        declaration = self.declared.declaration
        assert isinstance(declaration, tree.Model)
        return declaration.params

    def open_params(self, overrides: Collection[str]) -> list[str]:
        """Parameters that still have no value."""
        return [
            param.name.id
            for param in self.params
            if param.default is None
            and param.name.id not in self.given
            and param.name.id not in overrides
        ]


def base_of(declared: Declared, report: Report) -> Base:
    """Follow variants down to the model that has a body. Raises `AlreadyReported`."""
    variants: list[tuple[tree.Variant, Declared]] = []
    while isinstance(declared.declaration, tree.Variant):
        variant = declared.declaration
        if declared.damaged:
            raise AlreadyReported
        if any(variant is before for before, _ in variants):
            raise _cycle([before for before, _ in variants], variant, report)
        limit = _VARIANTS * limits().nesting
        if len(variants) >= limit:
            at = variants[0][0].base.name.span
            raise report.add(exceeded.VARIANTS_TOO_DEEP, at, limit=limit)
        variants.append((variant, declared))
        declared = _model_named(variant.base.name, declared, report)
    assert isinstance(declared.declaration, tree.Model)
    if declared.damaged:
        raise AlreadyReported
    order = tuple(param.name.id for param in declared.declaration.params)
    given: dict[str, Given] = {}
    for variant, place in variants:
        env = Env(place.unit, {})
        for key, argument in match_arguments(variant.base, order, report).items():
            given.setdefault(key, (argument.value, env))
    name = declared.declaration.name
    call = variants[0][0].base if variants else tree.Call(name.span, name, ())
    return Base(declared, call, given)


def _cycle(
    variants: list[tree.Variant], again: tree.Variant, report: Report
) -> AlreadyReported:
    """A cycle of variants, reported at the one that is first in the text."""
    names = [variant.name.id for variant in variants]
    start = names.index(again.name.id)
    first = min(variants[start:], key=lambda variant: variant.span.start)
    cycle = " → ".join([*names[start:], again.name.id])
    return report.add(VARIANT_CYCLE, first.base.name.span, cycle=cycle)


def _model_named(name: tree.Name, declared: Declared, report: Report) -> Declared:
    """The model that a variant is derived from."""
    kind = tree.Model | tree.Variant
    names = declared.unit.names
    found = names.get(name.id)
    if found is None:
        if declared.unit.hides(name.id):
            raise AlreadyReported
        known = [
            key
            for key, other in names.items()
            if isinstance(other.declaration, kind) and other is not declared
        ]
        raise report.add(NO_MODEL, name.span, help=did_you_mean(name.id, known))
    if not isinstance(found.declaration, kind):
        raise wrong_declaration(report, name, found, "model")
    return found


def expand_model(
    declared: Declared,
    base: Base,
    overrides: Overrides,
    report: Report,
    spent: Steps | None = None,
) -> ir.Model:
    """The IR of a model. Raises `AlreadyReported` after reporting what is wrong.

    The steps of evaluation are added to `spent`.
    """
    evaluator = Evaluator(report, spent=spent or Steps())
    given = dict(base.given)
    env = Env(declared.unit, {})
    given.update({name: (node, env) for name, node in overrides.items()})
    no_arguments = tree.Call(base.call.span, base.call.name, ())
    inside = bind(evaluator, no_arguments, base.params, base.declared, env, given)
    declaration, own = base.declared.declaration, declared.declaration
    assert isinstance(declaration, tree.Model)
    assert isinstance(own, tree.Model | tree.Variant)
    if isinstance(own, tree.Variant):
        evaluator.calls.append(own.base.span)
    expander = Expander(evaluator, Definitions(own.name.id))
    body, _ = expander.scope(declaration.body, inside, None)
    model = ir.Model(
        name=own.name.id,
        blocks=_used(expander.definitions.blocks, body),
        body=body,
        doc=own.doc or declaration.doc,
        span=own.name.span,
    )
    _check_size(model, own.name.span, report)
    return model


def with_image(base: Base, size: tuple[int, ...]) -> Base:
    """The model for images of another size, (channels, height, width).

    Only what the `image` statement says is changed, so statements with the old size in
    an argument may refuse the new one. Raises `ValueError` where the model's body has
    no such statement.
    """
    declaration = base.declared.declaration
    assert isinstance(declaration, tree.Model)
    statements = list(declaration.body.statements)
    for place, statement in enumerate(statements):
        if isinstance(statement, tree.Operation) and statement.call.name.id == "image":
            span = statement.call.span
            arguments = tuple(
                tree.Argument(span, None, tree.Number(span, str(side))) for side in size
            )
            call = tree.Call(span, statement.call.name, arguments)
            statements[place] = replace(statement, call=call)
            body = replace(declaration.body, statements=tuple(statements))
            declared = replace(
                base.declared, declaration=replace(declaration, body=body)
            )
            return replace(base, declared=declared)
    raise ValueError(f"`{declaration.name.id}` has no `image` of its own")


def parse_overrides(
    settings: Mapping[str, str], report: Report
) -> dict[str, tree.Expr]:
    """`--set key=value` as expressions, each with a source of its own."""
    return {
        name: parse_expression(Source(f"--set {name}", text), report)
        for name, text in settings.items()
    }


def _used(blocks: dict[str, ir.Block], body: ir.Body) -> tuple[ir.Block, ...]:
    """The definitions that the model reaches, each before its first use."""
    ordered: dict[str, ir.Block] = {}

    def visit(statements: ir.Body) -> None:
        for statement in within(statements):
            if not isinstance(statement, ir.Invocation):
                continue
            for run in statement.runs:
                if run.block not in ordered:
                    visit(blocks[run.block].body)
                    ordered[run.block] = blocks[run.block]

    visit(body)
    return tuple(ordered.values())


@dataclass(frozen=True, slots=True)
class _Size:
    """The size of a body when it is opened.

    `distinct` counts equal iterations once, as tables do. `activation` is the bytes of
    all outputs, for one image.
    """

    statements: int = 0
    distinct: int = 0
    parameters: int = 0
    activation: int = 0

    def plus(self, other: "_Size", count: int = 1, copies: int = 1) -> "_Size":
        """With another that runs `count` times, by `copies` modules."""
        return _Size(
            self.statements + count * other.statements,
            self.distinct + other.distinct,
            self.parameters + copies * other.parameters,
            self.activation + count * other.activation,
        )


def _check_size(model: ir.Model, span: Span, report: Report) -> None:
    """Report a model that is too large, before anything is opened."""
    size, most = fold(model, _size), limits()
    for found, limit, message in (
        (size.statements, most.statements, exceeded.MODEL_STATEMENTS),
        (size.distinct, most.distinct, exceeded.MODEL_DISTINCT),
        (size.parameters, most.parameters, exceeded.MODEL_PARAMETERS),
        (size.activation, most.activation, exceeded.MODEL_ACTIVATION),
    ):
        if found > limit:
            raise report.add(message, span, found=_about(found), limit=limit)


def _size(body: ir.Body, definitions: Mapping[str, _Size]) -> _Size:
    total = _Size()
    for statement in within(body):
        if isinstance(statement, ir.Op):
            params = sum(map(prod, applied(statement).tensors().values()))
            output = FLOAT_BYTES * prod(statement.result.dims)
            total = total.plus(_Size(1, 1, params, output))
        elif isinstance(statement, ir.Invocation):
            for run in statement.runs:
                copies = run.count if statement.numbered else 1
                total = total.plus(definitions[run.block], run.count, copies)
    return total


def _about(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"about 10^{len(str(number)) - 1}"
