"""The documentation of an operator or a region, with the figures of its example."""

from typing import assert_never

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.print import print_value
from s2mlp_dsl.ir.program import Model, Parallel
from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector
from s2mlp_dsl.operators import OPERATORS, Definition, Operator, Region, applied

# The body in a region's example.
BODY = "gelu"
REGION_INPUT = Map(height=3, width=5, channels=4)


class Argument(Record):
    """An argument.

    The default is as a spec writes it, None where it must be given or is derived.
    """

    name: str
    kind: str
    doc: str
    default: str | None
    required: bool
    choices: tuple[str, ...]


class Table1(Record):
    """The operator's row of the paper's table 1, on its example.

    `reads` is what a position depends on: itself, neighbours, or everything.
    """

    learned: bool
    reads: str
    spatial_specific: bool
    channel_specific: bool


class Example(Record):
    """A statement with its input and output, for one image."""

    statement: str
    enters: str | None
    leaves: str
    params: int
    macs: int


class OperatorDoc(Record):
    """What `s2mlp-dsl ops NAME` prints. A region has no row in table 1."""

    name: str
    owner: str  # the package that it comes from
    role: str
    version: int | None
    summary: str
    formula: str
    initialisation: str
    paper: str
    arguments: tuple[Argument, ...]
    table1: Table1 | None
    example: Example


def operator_doc(name: str) -> OperatorDoc:
    """The documentation of an operator or a region.

    Raises `KeyError`, and `RegistrationError` if its package cannot be used.
    """
    definition = OPERATORS[name]
    if issubclass(definition, Region):
        return _of_region(definition)
    assert issubclass(definition, Operator)
    return _of_operator(definition)


def _of_operator(operator: type[Operator]) -> OperatorDoc:
    model = _model_of(operator.example, operator.example_input)
    last = model.body[-1]
    op = last.merge if isinstance(last, Parallel) else last
    assert op.kind == "op"
    properties = applied(op).properties()
    return OperatorDoc(
        name=operator.name,
        owner=OPERATORS.owner(operator.name),
        role=operator.role,
        version=operator.version,
        summary=operator.summary,
        formula=operator.formula,
        initialisation=operator.initialisation,
        paper=operator.paper,
        arguments=_arguments(operator),
        table1=Table1(
            learned=applied(op).learned,
            reads=properties.reads,
            spatial_specific=properties.spatial_specific,
            channel_specific=properties.channel_specific,
        ),
        example=_example(operator.example, operator.example_input, model),
    )


def _of_region(region: type[Region]) -> OperatorDoc:
    statement = f"{region.example} {{ {BODY} }}"
    model = _model_of(statement, REGION_INPUT)
    return OperatorDoc(
        name=region.name,
        owner=OPERATORS.owner(region.name),
        role="region",
        version=None,
        summary=region.summary,
        formula="the body, between an operator and another that undoes it",
        initialisation="no parameters of its own",
        paper=region.paper,
        arguments=_arguments(region),
        table1=None,
        example=_example(statement, REGION_INPUT, model),
    )


def _arguments(definition: type[Definition]) -> tuple[Argument, ...]:
    return tuple(
        Argument(
            name=one.name,
            kind=one.kind,
            doc=one.doc,
            default=None if one.default is None else print_value(one.default),
            required=one.required,
            choices=one.choices,
        )
        for one in definition.parameters
        if not one.implied
    )


def _example(statement: str, enters: Shape | None, model: Model) -> Example:
    """The figures of the last statement alone."""
    analysis = analyze_model(model)
    before = analyze_model(_model_of(BODY, enters)) if enters is not None else None
    params, macs = analysis.params or 0, analysis.macs or 0
    return Example(
        statement=statement,
        enters=None if enters is None else str(enters),
        leaves=str(model.result),
        params=params - (before.params or 0 if before else 0),
        macs=macs - (before.macs or 0 if before else 0),
    )


def _model_of(statement: str, enters: Shape | None) -> Model:
    """A model that ends with a statement, after what makes its input."""
    match enters:
        case None:
            before = []
        case Map(time=None, height=height, width=width, channels=channels):
            before = [f"image({channels}, {height}, {width})"]
        case Map(time=time, height=height, width=width, channels=channels):
            before = [f"video({channels}, {time}, {height}, {width})"]
        case Tokens(count=count, channels=channels):
            tokens = 'rearrange("y x c -> (y x) c")'
            before = [f"image({channels}, 1, {count})", tokens]
        case Vector(channels=channels):
            before = [f"image({channels}, 2, 2)", "pool(mean)"]
        case _:
            assert_never(enters)
    head = ["edition 1", 'import cross from "std:s2mlp"', "model tried {"]
    spec = load("\n".join([*head, *before, statement, "}", ""]))
    return spec.expand(spec.choose_model(None), {})
