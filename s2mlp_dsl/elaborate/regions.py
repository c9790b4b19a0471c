"""`fold` and `pad`: a body between the two operators of its scope."""

from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.elaborate.values import Env, traced
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators import OPERATORS, REGIONS, Args

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.expand import Expander


def expand_region(
    expander: "Expander",
    statement: tree.Region,
    env: Env,
    shape: Shape,
    label: str | None,
) -> ir.Region:
    """A body between the two operators of its scope."""
    call = statement.call
    sheet = REGIONS.get(call.name.id)
    if sheet is None:
        raise AlreadyReported  # reported with the names
    args, given = expander.operators.arguments(sheet, call, env, shape)
    make = expander.operators.make
    with expander.operators.refusals(call, given):
        settled = sheet.settle(shape, Args(args))
        before = sheet.enter(shape, settled)
        operator = OPERATORS[before.operator]
        enter = make(operator, before.args, shape, call.span)
    inside = enter.result
    body, after = expander.body(statement.body, env.inner(inside.channels), inside)
    end = tree.Call(tree.head(statement.body.statements[-1]), call.name, ())
    with expander.operators.refusals(end, {}):
        last = sheet.leave(shape, settled, after)
        leave = make(OPERATORS[last.operator], last.args, after, call.span)
    return ir.Region(
        operator=sheet.name,
        args=tuple(settled.values.items()),
        enter=enter,
        body=body,
        leave=leave,
        label=label,
        span=traced(call.span, call, env),
    )
