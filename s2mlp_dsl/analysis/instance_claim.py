"""`instance(A, of = B, on = [height, width, channels])`, from its text."""

from collections.abc import Iterable

from s2mlp_dsl.analysis import codes
from s2mlp_dsl.analysis.instance import MOST_TERMS, Undecided, is_instance
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.expand import Expander
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.unknown import operator_of
from s2mlp_dsl.elaborate.values import Env, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Op
from s2mlp_dsl.ir.shape import Map, positions
from s2mlp_dsl.operators import applied
from s2mlp_dsl.operators.base import Term

_PARTS = ("a", "of", "on")


def check_instance(call: tree.Call, unit: Unit, report: Report) -> bool:
    """Whether some weights of B make it A; reported where none do.

    Raises `Undecided` where that cannot be known.
    """
    given = match_arguments(call, _PARTS, report)
    if missing := [part for part in _PARTS if part not in given]:
        listed = " and ".join("A" if part == "a" else f"`{part}`" for part in missing)
        raise report.add(
            codes.CLAIM_FORM,
            call.span,
            f"{listed} not given",
            help="write `instance(A, of = B, on = [height, width, channels])`",
        )
    shape = _shape(given["on"].value, unit, report)
    a, b = (_linear_map(given[part].value, shape, unit, report) for part in ("a", "of"))
    holds = is_instance(a, b)
    if not holds:
        report.add(
            codes.CLAIM_FAILS,
            call.span,
            "no weights make the second equal to the first",
            help="compare their edge rules and how far they reach",
        )
    return holds


def _shape(node: tree.Expr, unit: Unit, report: Report) -> Map:
    evaluator = Evaluator(report)
    size = evaluator.value(node, Env(unit, {}))
    if not isinstance(size, tuple) or len(size) != 3:
        raise report.add(
            codes.CLAIM_FORM,
            node.span,
            f"this is `{show(size)}`",
            help="write `[height, width, channels]`",
        )
    height, width, channels = (evaluator.as_count(one, node.span) for one in size)
    return Map(height=height, width=width, channels=channels)


def _linear_map(
    node: tree.Expr, shape: Map, unit: Unit, report: Report
) -> Iterable[Term]:
    """The entries of an operator's matrix, if they can be written down."""
    op = _operation(node, shape, unit, report)
    operator = applied(op)
    # Each product of a weight with an input is an entry, and nothing else is.
    entries = max(positions(shape) * shape.channels, operator.macs())
    if entries > MOST_TERMS:
        raise Undecided(
            f"the matrix of `{op.operator}` has {entries:,} entries; "
            f"the limit is {MOST_TERMS:,}",
            help="claim it on a smaller map",
        )
    terms = operator.linear_map()
    if terms is None:
        raise Undecided(
            f"`{op.operator}` is not a linear map of its input",
            help="compare linear maps, such as `shift(…)` and `depthwise(3)`",
        )
    return terms


def _operation(node: tree.Expr, shape: Map, unit: Unit, report: Report) -> Op:
    """An operator call, elaborated on a map of the given size."""
    call = tree.Call(node.span, node, ()) if isinstance(node, tree.Name) else node
    if not isinstance(call, tree.Call) or operator_of(unit, call.name, report) is None:
        raise report.add(
            codes.UNKNOWN_OPERATOR,
            node.span,
            help="compare operators, such as `shift(cross)` and `depthwise(3)`",
        )
    body = tree.Body(node.span, (tree.Operation(node.span, call),))
    expander = Expander(Evaluator(report))
    (op,), _ = expander.scope(body, Env(unit, {}, shape.channels), shape)
    assert isinstance(op, Op)
    return op
