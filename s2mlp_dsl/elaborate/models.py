"""Models of a file, by name, with parameters bound."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod

from s2mlp_dsl.bounds import FLOAT_BYTES, how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import bind, match_arguments
from s2mlp_dsl.elaborate.definitions import Definitions
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.expand import Expander
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.origins import origins_of
from s2mlp_dsl.elaborate.unknown import wrong_declaration
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.frontend import parse_expression, tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import positions
from s2mlp_dsl.ir.walk import fold, within
from s2mlp_dsl.operators import applied
from s2mlp_dsl.source import Source, Span

Overrides = Mapping[str, tree.Expr]


@dataclass(frozen=True, slots=True)
class Base:
    """A model with parameters, reached through its variants.

    `given` are the arguments that the variants fix, each with the place where
    it is to be evaluated.
    """

    declared: Declared
    call: tree.Call
    given: dict[str, tuple[tree.Expr, Env]] = field(default_factory=dict)

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
        if any(variant is one for one, _ in variants):
            _report_cycle([one for one, _ in variants], variant, report)
            raise AlreadyReported
        variants.append((variant, declared))
        declared = _model_named(variant, declared, report)
    assert isinstance(declared.declaration, tree.Model)
    if declared.damaged:
        raise AlreadyReported
    order = tuple(param.name.id for param in declared.declaration.params)
    given: dict[str, tuple[tree.Expr, Env]] = {}
    for variant, place in variants:
        env = Env(place.unit, {})
        for key, argument in match_arguments(variant.base, order, report).items():
            given.setdefault(key, (argument.value, env))
    name = declared.declaration.name
    call = variants[0][0].base if variants else tree.Call(name.span, name, ())
    return Base(declared, call, given)


def _report_cycle(
    variants: list[tree.Variant], again: tree.Variant, report: Report
) -> None:
    """A cycle of variants, reported at the one that stands first in the text."""
    names = [one.name.id for one in variants]
    start = names.index(again.name.id)
    cycle = sorted(variants[start:], key=lambda one: one.span.start)
    report.add(
        codes.RECURSION,
        cycle[0].base.name.span,
        " → ".join([*names[start:], again.name.id]),
        help="let one of them be a variant of a model with a body",
    )


def _model_named(variant: tree.Variant, declared: Declared, report: Report) -> Declared:
    """What a variant is a variant of."""
    name = variant.base.name
    found = declared.unit.names.get(name.id)
    if found is None:
        if declared.unit.hides(name.id):
            raise AlreadyReported
        known = [
            key
            for key, one in declared.unit.names.items()
            if isinstance(one.declaration, tree.Model | tree.Variant)
            and one is not declared
        ]
        raise report.add(
            codes.UNKNOWN_NAME,
            name.span,
            "no model of this name is declared or imported",
            help=did_you_mean(name.id, known),
        )
    if not isinstance(found.declaration, tree.Model | tree.Variant):
        raise wrong_declaration(report, name.id, name.span, found, "model")
    return found


def expand_model(
    declared: Declared, base: Base, overrides: Overrides, report: Report
) -> ir.Model:
    """The IR of a model. Raises `AlreadyReported` after reporting what is wrong."""
    evaluator = Evaluator(report)
    given = dict(base.given)
    env = Env(declared.unit, {})
    given.update({name: (node, env) for name, node in overrides.items()})
    no_arguments = tree.Call(base.call.span, base.call.name, ())
    bound = bind(evaluator, no_arguments, base.params, base.declared, env, given)
    declaration = base.declared.declaration
    assert isinstance(declaration, tree.Model)
    own = declared.declaration
    assert isinstance(own, tree.Model | tree.Variant)
    if isinstance(own, tree.Variant):
        evaluator.calls.append(own.base.span)
    expander = Expander(evaluator, Definitions(own.name.id))
    origins = origins_of(no_arguments, base.params, base.declared.unit, env, given)
    inside = Env(base.declared.unit, bound, origins=origins)
    body, _ = expander.scope(declaration.body, inside, None)
    model = ir.Model(
        name=own.name.id,
        blocks=_used(expander.definitions.blocks, body),
        body=body,
        doc=own.doc or declaration.doc,
        span=own.name.span,
    )
    _hold_bounds(model, own.name.span, report)
    return model


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


def _hold_bounds(model: ir.Model, span: Span, report: Report) -> None:
    """Report a model that is too large, before anything is opened."""
    size = fold(model, _size)
    for name, code, what in (
        ("statements", codes.STATEMENTS, "statements"),
        ("distinct", codes.DISTINCT, "different statements"),
        ("parameters", codes.PARAMETERS, "parameters"),
        ("activation", codes.ACTIVATION, "bytes of maps for one image"),
    ):
        found, limit = getattr(size, name), getattr(limits(), name)
        if found > limit:
            raise report.add(
                code,
                span,
                f"{_about(found)} {what}; the limit is {limit:,}",
                notes=[how_to_raise(name)],
                help="repeat less often, or make the width less",
            )


def _size(body: ir.Body, definitions: Mapping[str, _Size]) -> _Size:
    total = _Size()
    for statement in within(body):
        if isinstance(statement, ir.Op):
            params = sum(map(prod, applied(statement).tensors().values()))
            total = total.plus(_Size(1, 1, params, _bytes(statement)))
        elif isinstance(statement, ir.Invocation):
            for run in statement.runs:
                copies = run.count if statement.numbered else 1
                total = total.plus(definitions[run.block], run.count, copies)
    return total


def _bytes(op: ir.Op) -> int:
    return positions(op.result) * op.result.channels * FLOAT_BYTES


def _about(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"about 10^{len(str(number)) - 1}"
