"""Models of a file, by name, with parameters bound."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from s2mlp_dsl.diagnostics import Poisoned, Report
from s2mlp_dsl.elaborate import bounds, codes
from s2mlp_dsl.elaborate.bind import bind, match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.expand import Expander
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.ops import OPERATORS, Args
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.syntax import parse_expression, tree

Overrides = Mapping[str, tree.Expr]


@dataclass(frozen=True)
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
    """Follow variants down to the model that has a body."""
    chain: list[Declared] = []
    given: dict[str, tuple[tree.Expr, Env]] = {}
    while isinstance(declared.declaration, tree.Variant):
        variant = declared.declaration
        if declared.damaged:
            raise Poisoned
        name = variant.base.name
        if declared in chain:
            raise report.add(codes.RECURSION, variant.name.span)
        chain.append(declared)
        env = Env(declared.unit, {})
        inner = declared.unit.names.get(name.id)
        if inner is None:
            if name.id in declared.unit.lost:
                raise Poisoned
            models = declared.unit.names
            known = [
                n
                for n, one in models.items()
                if isinstance(one.declaration, tree.Model | tree.Variant)
                and n != variant.name.id
            ]
            raise report.add(
                codes.UNKNOWN_NAME, name.span, help=did_you_mean(name.id, known)
            )
        if not isinstance(inner.declaration, tree.Model | tree.Variant):
            kind = type(inner.declaration).__name__.lower()
            raise report.add(
                codes.WRONG_DECLARATION, name.span, f"`{name.id}` is a {kind}"
            )
        order = _parameter_names(inner, report)
        for key, argument in match_arguments(variant.base, order, report).items():
            given.setdefault(key, (argument.value, env))
        declared = inner
    assert isinstance(declared.declaration, tree.Model)
    if declared.damaged:
        raise Poisoned
    call = (
        chain[0].declaration.base
        if chain and isinstance(chain[0].declaration, tree.Variant)
        else tree.Call(declared.declaration.name.span, declared.declaration.name, ())
    )
    return Base(declared, call, given)


def expand_model(
    declared: Declared, base: Base, overrides: Overrides, report: Report
) -> ir.Model:
    """The IR of a model. Raises `Poisoned` after reporting what is wrong."""
    evaluator = Evaluator(report)
    given = dict(base.given)
    env = Env(declared.unit, {})
    given.update({name: (node, env) for name, node in overrides.items()})
    no_arguments = tree.Call(base.call.span, base.call.name, ())
    bound = bind(evaluator, no_arguments, base.params, base.declared, env, given)
    declaration = base.declared.declaration
    assert isinstance(declaration, tree.Model)
    expander = Expander(evaluator)
    inside = Env(base.declared.unit, bound)
    body, _ = expander.scope(declaration.body, inside, None)
    own = declared.declaration
    assert isinstance(own, tree.Model | tree.Variant)
    model = ir.Model(
        name=own.name.id,
        blocks=_used(expander.blocks, body),
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


def _parameter_names(declared: Declared, report: Report) -> tuple[str, ...]:
    declaration = base_of(declared, report).declared.declaration
    assert isinstance(declaration, tree.Model)
    return tuple(param.name.id for param in declaration.params)


def _used(
    blocks: dict[str, ir.Block], body: tuple[ir.Statement, ...]
) -> tuple[ir.Block, ...]:
    """The definitions that the model reaches, each before its first use."""
    ordered: dict[str, ir.Block] = {}

    def visit(statements: tuple[ir.Statement, ...]) -> None:
        for statement in statements:
            match statement:
                case ir.Residual(body=inner):
                    visit(inner)
                case ir.Call(block=name):
                    define(name)
                case ir.Stack(runs=runs):
                    for run in runs:
                        define(run.block)
                case ir.Op():
                    pass

    def define(name: str) -> None:
        if name not in ordered:
            visit(blocks[name].body)
            ordered[name] = blocks[name]

    visit(body)
    return tuple(ordered.values())


def _hold_bounds(model: ir.Model, span: Span, report: Report) -> None:
    statements = parameters = 0
    for one in occurrences(model):
        statements += one.count
        tensors = OPERATORS[one.op.operator].tensors(
            one.op.source, Args(dict(one.op.args))
        )
        for shape in tensors.values():
            size = one.count
            for length in shape:
                size *= length
            parameters += size
    for found, limit, code in (
        (statements, bounds.STATEMENTS, codes.STATEMENTS),
        (parameters, bounds.PARAMETERS, codes.PARAMETERS),
    ):
        if found > limit:
            raise report.add(code, span, f"{found:,}; the limit is {limit:,}")
