"""`of` and `without`: which statements a figure is about."""

from collections.abc import Callable, Sequence

from s2mlp_dsl.analysis import codes
from s2mlp_dsl.analysis.cost import CostRow
from s2mlp_dsl.diagnostics import AlreadyReported, Report, Suggestion
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.operators import find, names

Selector = Callable[[CostRow], bool]


def select_rows(
    call: tree.Call, rows: Sequence[CostRow], report: Report
) -> list[CostRow]:
    """The rows that `of` names, less those that `without` names."""
    given = match_arguments(call, ("of", "without"), report)

    def selectors(node: tree.Expr) -> list[Selector]:
        items = node.items if isinstance(node, tree.ListExpr) else (node,)
        return [_selector(item, rows, report) for item in items]

    selected = list(rows)
    if "of" in given:
        chosen = selectors(given["of"].value)
        selected = [row for row in selected if any(one(row) for one in chosen)]
    if "without" in given:
        dropped = selectors(given["without"].value)
        selected = [row for row in selected if not any(one(row) for one in dropped)]
    return selected


def _selector(node: tree.Expr, rows: Sequence[CostRow], report: Report) -> Selector:
    """A label, or `op(NAME)` for every statement of an operator."""
    if isinstance(node, tree.Name):
        label = label_of(node, {one for row in rows for one in row.labels}, report)
        return lambda row: label in row.labels
    if (
        isinstance(node, tree.Call)
        and node.name.id == "op"
        and len(node.arguments) == 1
        and isinstance(node.arguments[0].value, tree.Name)
    ):
        name = node.arguments[0].value
        if find(name.id) is None:
            raise report.add(
                codes.UNKNOWN_OPERATOR,
                name.span,
                help=did_you_mean(name.id, names()),
            )
        return lambda row: row.operator == name.id
    raise report.add(
        codes.CLAIM_FORM,
        node.span,
        "this selects no statements",
        help="select by a label, or by `op(norm)`",
    )


def label_of(node: tree.Expr, labels: set[str], report: Report) -> str:
    """The label that an expression names. Raises `AlreadyReported` if it names none."""
    if not isinstance(node, tree.Name):
        raise report.add(
            codes.CLAIM_FORM, node.span, "this is no label", help="write a label"
        )
    if node.id not in labels:
        raise _no_label(node, labels, report)
    return node.id


def _no_label(node: tree.Name, labels: set[str], report: Report) -> AlreadyReported:
    help = did_you_mean(node.id, labels)
    if find(node.id) is not None:
        selector = f"op({node.id})"
        help = Suggestion(f"to select an operator, write `{selector}`", selector)
    elif not labels:
        help = f"write `{node.id}: ` before the statement that is meant"
    return report.add(codes.UNKNOWN_LABEL, node.span, help=help)
