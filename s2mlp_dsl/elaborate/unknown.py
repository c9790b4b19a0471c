"""Names that stand for nothing, or for the wrong thing, where a value is needed.

They are met twice, before anything is evaluated and while a model is expanded;
said in one place, they are reported once.
"""

from collections.abc import Collection

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.operators import (
    BUILT_IN,
    REGIONS,
    Operator,
    RegistrationError,
    find,
    names,
)
from s2mlp_dsl.source import Span

FUNCTIONS = ("ceil", "choose", "floor", "max", "min", "mod")
APPLY = "apply"  # runs the piece that a parameter holds
# Words that begin a statement, besides operators and blocks.
STRUCTURES = frozenset(["residual", "stack", "parallel", APPLY, *REGIONS])


def operator_of(unit: Unit, name: tree.Name, report: Report) -> Operator | None:
    """The operator that a name stands for in a file.

    What the file declares comes before what packages bring: to install one
    changes the meaning of no spec. Raises `AlreadyReported` where a package
    cannot give it.
    """
    if name.id in unit.names and name.id not in BUILT_IN:
        return None
    try:
        return find(name.id)
    except RegistrationError as error:
        raise report.add(error.code, name.span, error.label, help=error.help) from error


def is_statement(unit: Unit, name: tree.Name, report: Report) -> bool:
    """Whether a call of this name can be a statement: an operator or a block."""
    if name.id == APPLY or operator_of(unit, name, report) is not None:
        return True
    declared = unit.names.get(name.id)
    return declared is not None and isinstance(declared.declaration, tree.Block)


def unknown_statement(report: Report, unit: Unit, name: tree.Name) -> AlreadyReported:
    """A name where a statement begins that is neither an operator nor a block."""
    if unit.hides(name.id):
        return AlreadyReported()
    declared = unit.names.get(name.id)
    if declared is not None:
        return wrong_declaration(report, name.id, name.span, declared, "block")
    blocks = {
        key
        for key, one in unit.names.items()
        if isinstance(one.declaration, tree.Block)
    }
    return report.add(
        codes.UNKNOWN_STATEMENT,
        name.span,
        help=did_you_mean(name.id, {*names(), *blocks, *STRUCTURES}, 0)
        or "`s2mlp-dsl explain A0302` lists the operators",
    )


def unknown_value(
    report: Report,
    unit: Unit,
    name: str,
    span: Span,
    known: Collection[str],
    words: Collection[str],
) -> AlreadyReported:
    """A bare name that is no value here. `words` are what an operator knows."""
    if unit.hides(name):
        return AlreadyReported()
    if name == "dim":
        return report.add(
            codes.NO_DIM,
            span,
            "this is not inside a block, residual, stack or shift",
            help="write the number of channels",
        )
    declared = unit.names.get(name)
    if declared is not None:
        return wrong_declaration(report, name, span, declared, "value")
    choices = {*words} - {"none"}
    if choices:
        close = did_you_mean(name, words, few=0)
        listed = " or ".join(f"`{one}`" for one in sorted(words))
        return report.add(codes.UNKNOWN_CHOICE, span, help=close or f"write {listed}")
    values = {
        key
        for key, one in unit.names.items()
        if isinstance(one.declaration, tree.Let | tree.Shift)
    }
    return report.add(
        codes.UNKNOWN_NAME, span, help=did_you_mean(name, {*known, *values, *words})
    )


def unknown_function(
    report: Report, unit: Unit, call: tree.Call, known: Collection[str]
) -> AlreadyReported:
    """A call in an expression that is neither a function nor a shift."""
    name, span = call.name.id, call.name.span
    if unit.hides(name):
        return AlreadyReported()
    declared = unit.names.get(name)
    if declared is not None:
        return wrong_declaration(report, name, span, declared, "function")
    return report.add(
        codes.UNKNOWN_NAME,
        span,
        "there is no such function",
        help=did_you_mean(name, {*FUNCTIONS, *known}),
    )


def wrong_declaration(
    report: Report, name: str, span: Span, declared: Declared, wanted: str
) -> AlreadyReported:
    """A name that is declared, but as something else than is `wanted`."""
    kind = type(declared.declaration).__name__.lower()
    kind = {"variant": "model", "let": "constant"}.get(kind, kind)
    hints = {
        ("shift", "block"): f"write `shift({name})`",
        ("model", "block"): "declare what they share as a `block`",
        ("block", "value"): f"a block is a statement of its own: `{name}`",
    }
    return report.add(
        codes.WRONG_DECLARATION,
        span,
        f"`{name}` is a {kind}, not a {wanted}",
        help=hints.get((kind, wanted)),
    )
