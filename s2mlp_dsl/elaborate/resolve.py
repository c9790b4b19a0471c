"""What a name stands for, and the mistake where it is nothing or the wrong thing."""

from collections.abc import Collection
from types import UnionType

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import arguments
from s2mlp_dsl.diagnostics.catalogue import names as messages
from s2mlp_dsl.diagnostics.suggest import did_you_mean, either
from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.operators import OPERATORS, Definition, Operator, Region
from s2mlp_dsl.registry import RegistrationError

FUNCTIONS = ("ceil", "choose", "floor", "max", "min", "mod")
APPLY = "apply"  # runs the block that is the value of a parameter
# Words that a statement may begin with, besides operators, regions and blocks.
STRUCTURES = frozenset(["residual", "stack", "parallel", APPLY])


def _definition_of(
    unit: Unit, name: tree.Name, report: Report
) -> type[Definition] | None:
    """What the registry of operators has under a name.

    Declarations of the file come before packages, so that installing one changes the
    meaning of no spec. Raises `AlreadyReported` if its package cannot be used.
    """
    if name.id in unit.names and name.id not in OPERATORS.built_in:
        return None
    try:
        return OPERATORS.get(name.id)
    except RegistrationError as error:
        raise report.add(error.message, name.span, **error.fields) from error


def operator_of(unit: Unit, name: tree.Name, report: Report) -> type[Operator] | None:
    """The operator of a name in a file. Raises `AlreadyReported`."""
    found = _definition_of(unit, name, report)
    return found if found is not None and issubclass(found, Operator) else None


def region_of(unit: Unit, name: tree.Name, report: Report) -> type[Region]:
    """The region of a name in a file. Raises `AlreadyReported` where it is none."""
    found = _definition_of(unit, name, report)
    if found is not None and issubclass(found, Region):
        return found
    statement_of(unit, name, report)
    raise report.add(messages.TAKES_NO_BODY, name.span, name=name.id)


def statement_of(
    unit: Unit, name: tree.Name, report: Report
) -> type[Operator] | Declared | None:
    """The operator or block that a statement of this name runs; None for `apply`.

    Raises `AlreadyReported` after reporting a name that is neither.
    """
    if name.id == APPLY:
        return None
    operator = operator_of(unit, name, report)
    if operator is not None:
        return operator
    declared = unit.names.get(name.id)
    if declared is not None and isinstance(declared.declaration, tree.Block):
        return declared
    if unit.hides(name.id):
        raise AlreadyReported
    if declared is not None:
        raise wrong_declaration(report, name, declared, "block")
    known = {*OPERATORS, *_declared(unit, tree.Block), *STRUCTURES}
    help = did_you_mean(name.id, known, 0)
    raise report.add(messages.NO_STATEMENT, name.span, help=help)


def unknown_value(
    report: Report,
    unit: Unit,
    name: tree.Name,
    known: Collection[str],
    words: Collection[str],
) -> AlreadyReported:
    """A name that has no value here. `words` are the enum values that are allowed."""
    if unit.hides(name.id):
        return AlreadyReported()
    if name.id == "dim":
        return report.add(arguments.NO_INPUT_HERE, name.span)
    declared = unit.names.get(name.id)
    if declared is not None:
        return wrong_declaration(report, name, declared, "value")
    if {*words} - {"none"}:
        help = did_you_mean(name.id, words, few=0)
        choices = either(sorted(words))
        return report.add(arguments.NO_CHOICE, name.span, help=help, choices=choices)
    values = _declared(unit, tree.Let | tree.Shift)
    help = did_you_mean(name.id, {*known, *values, *words})
    return report.add(messages.UNDECLARED, name.span, help=help)


def unknown_function(
    report: Report, unit: Unit, name: tree.Name, known: Collection[str]
) -> AlreadyReported:
    """A name that is called in an expression and is neither a function nor a shift."""
    if unit.hides(name.id):
        return AlreadyReported()
    declared = unit.names.get(name.id)
    if declared is not None:
        return wrong_declaration(report, name, declared, "function")
    help = did_you_mean(name.id, {*FUNCTIONS, *known})
    return report.add(messages.NO_FUNCTION, name.span, help=help)


def wrong_declaration(
    report: Report, name: tree.Name, declared: Declared, wanted: str
) -> AlreadyReported:
    """A name that is declared, but as something else than is `wanted`."""
    kind = type(declared.declaration).__name__.lower()
    kind = {"variant": "model", "let": "constant"}.get(kind, kind)
    message = {
        ("shift", "block"): messages.SHIFT_AS_STATEMENT,
        ("model", "block"): messages.MODEL_AS_STATEMENT,
        ("block", "value"): messages.BLOCK_AS_VALUE,
    }.get((kind, wanted), messages.NOT_OF_THIS_KIND)
    return report.add(message, name.span, name=name.id, kind=kind, wanted=wanted)


def _declared(unit: Unit, kind: type | UnionType) -> set[str]:
    """The names of the declarations of a kind."""
    return {
        name
        for name, declared in unit.names.items()
        if isinstance(declared.declaration, kind)
    }
