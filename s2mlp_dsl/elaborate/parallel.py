"""`parallel`: branches side by side, and the operator that merges them."""

from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.diagnostics.catalogue import arguments, shapes
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.resolve import operator_of
from s2mlp_dsl.elaborate.values import BlockArgument, EnumValue, Env, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Shape, with_channels
from s2mlp_dsl.operators import Operator, built_in
from s2mlp_dsl.source import Span

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.expand import Expander

PARAMETERS = ("takes", "merge")
FEEDS = frozenset(["split", "copy"])
_NEEDED = {"takes": "`split` or `copy`", "merge": "`merge`"}


def expand_parallel(
    expander: "Expander", node: tree.Parallel, env: Env, shape: Shape
) -> ir.Parallel:
    """The statement, if the outputs of its branches fit together."""
    evaluator = expander.evaluator
    if len(node.branches) < 2:
        raise evaluator.fail(
            shapes.ONE_BRANCH if node.branches else shapes.NO_BRANCH, node.call.span
        )
    given = match_arguments(node.call, PARAMETERS, evaluator.report)
    if missing := [_NEEDED[name] for name in PARAMETERS if name not in given]:
        raise evaluator.fail(
            arguments.PARALLEL_ARGUMENTS_MISSING,
            node.call.span,
            parameters=" and ".join(missing),
        )
    parts = _parts(expander, given["takes"].value, node, env, shape)
    operator, call, where = _merge(expander, given["merge"].value, env)
    inputs = [with_channels(shape, part) for part in parts]
    inputs = inputs or [shape] * len(node.branches)
    branches, outputs = _branches(expander, node, env, inputs)
    _check_outputs(expander, node, outputs, operator)
    joined = with_channels(outputs[0], sum(one.channels for one in outputs))
    implied = {"branches": len(branches)}
    merge = expander.operators.apply(operator, call, where, joined, implied)
    return ir.Parallel(parts=parts, branches=branches, merge=merge, span=node.call.span)


def _parts(
    expander: "Expander", takes: tree.Expr, node: tree.Parallel, env: Env, shape: Shape
) -> tuple[int, ...]:
    """The channels of each branch for `split`, none for `copy`."""
    evaluator = expander.evaluator
    value = evaluator.value(takes, env, FEEDS)
    if value not in FEEDS:
        raise evaluator.fail(arguments.NO_FEED, takes.span, value=show(value))
    if value == "copy":
        return ()
    count = len(node.branches)
    part, rest = divmod(shape.channels, count)
    if rest:
        raise evaluator.fail(
            shapes.UNEVEN_SPLIT,
            takes.span,
            channels=shape.channels,
            count=count,
            part=part,
            rest=rest,
            next=count * (part + 1),
        )
    return (part,) * count


def _merge(
    expander: "Expander", node: tree.Expr, env: Env
) -> tuple[type[Operator], tree.Call, Env]:
    """The operator that merges, its call, and the environment of the call."""
    evaluator = expander.evaluator
    call = node if isinstance(node, tree.Call) else None
    if isinstance(node, tree.Name):
        value = env.values.get(node.id)
        if isinstance(value, BlockArgument) and value.call is not None:
            call, env = value.call, value.env
        else:
            name = str(value) if isinstance(value, EnumValue) else node.id
            call = tree.Call(node.span, tree.Name(node.span, name), ())
    at = node.span if call is None else call.name.span
    operator = None
    if call is not None:
        operator = operator_of(env.unit, call.name, evaluator.report)
    if call is None or operator is None or operator.role != "merge":
        merges = [one.name for one in built_in() if one.role == "merge"]
        help = did_you_mean(call.name.id if call else "", merges)
        raise evaluator.fail(arguments.NO_MERGE, at, help=help)
    return operator, call, env


def _branches(
    expander: "Expander", node: tree.Parallel, env: Env, inputs: list[Shape]
) -> tuple[tuple[ir.Body, ...], list[Shape]]:
    """Every branch with its output. A fault in one does not hide the others."""
    bodies, outputs = [], []
    for body, source in zip(node.branches, inputs, strict=True):
        inside = env.inner(source.channels)
        try:
            made, output = expander.body(body, inside, source, may_be_empty=True)
        except AlreadyReported:
            continue
        bodies.append(made)
        outputs.append(output)
    if len(bodies) < len(node.branches):
        raise AlreadyReported
    return tuple(bodies), outputs


def _check_outputs(
    expander: "Expander",
    node: tree.Parallel,
    outputs: list[Shape],
    operator: type[Operator],
) -> None:
    """Branches need the same positions, and mostly the same channels."""
    first = outputs[0]
    for body, output in zip(node.branches[1:], outputs[1:], strict=True):
        same_positions = output == with_channels(first, output.channels)
        if output == first or (same_positions and not operator.equal_branches):
            continue
        raise expander.evaluator.fail(
            shapes.BRANCH_CHANNELS if same_positions else shapes.BRANCH_POSITIONS,
            _end(body),
            related=_end(node.branches[0]),
            output=output,
            first=first,
            channels=first.channels,
        )


def _end(body: tree.Body) -> Span:
    """The last statement of a branch, or its keyword where it is empty."""
    if body.statements:
        return tree.head(body.statements[-1])
    return Span(body.span.source, body.span.start, body.span.start + len("branch"))
