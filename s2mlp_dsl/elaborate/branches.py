"""`parallel`: branches side by side, and the operator that fuses them."""

from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported, Label
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.unknown import operator_of
from s2mlp_dsl.elaborate.values import BlockArgument, EnumValue, Env, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Shape, with_channels
from s2mlp_dsl.operators import BUILT_IN, OPERATORS, Operator
from s2mlp_dsl.source import Span

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.expand import Expander

PARAMETERS = ("takes", "merge")
TAKES = frozenset(["split", "copy"])
_MERGES = [name for name in sorted(BUILT_IN) if OPERATORS[name].role == "merge"]
_EXAMPLE = "write `parallel(copy, merge = sum) { … }`"


def expand_parallel(
    expander: "Expander",
    node: tree.Parallel,
    env: Env,
    shape: Shape,
    label: str | None,
) -> ir.Parallel:
    """The statement, with the shapes of its branches proved to agree."""
    evaluator = expander.evaluator
    if len(node.branches) < 2:
        raise evaluator.fail(
            codes.BRANCHES,
            node.call.span,
            f"there is {'only one' if node.branches else 'no'} branch",
            help="write `branch { … }` at least twice; an empty one is the identity",
        )
    given = match_arguments(node.call, PARAMETERS, evaluator.report)
    if missing := [one for one in PARAMETERS if one not in given]:
        what = {"takes": "`split` or `copy`", "merge": "`fuse`"}
        raise evaluator.fail(
            codes.MISSING,
            node.call.span,
            f"it needs {' and '.join(what[one] for one in missing)}",
            help=_EXAMPLE,
        )
    parts = _parts(expander, given["takes"].value, node, env, shape)
    operator, call, where = merge_of(expander, given["merge"].value, env)
    fed = [with_channels(shape, part) for part in parts] or [shape] * len(node.branches)
    branches, left = _branches(expander, node, env, fed)
    _hold_alike(expander, node, left, operator)
    together = with_channels(left[0], sum(one.channels for one in left))
    merge = expander.operators.apply(
        operator, call, where, together, implied={"branches": len(branches)}
    )
    return ir.Parallel(
        parts=parts, branches=branches, merge=merge, label=label, span=node.call.span
    )


def _parts(
    expander: "Expander", takes: tree.Expr, node: tree.Parallel, env: Env, shape: Shape
) -> tuple[int, ...]:
    """How many channels each branch gets of a split, nothing for copies."""
    evaluator = expander.evaluator
    value = evaluator.value(takes, env, TAKES)
    if value not in TAKES:
        raise evaluator.fail(
            codes.UNKNOWN_CHOICE,
            takes.span,
            f"`{show(value)}` is not how branches are fed",
            help="write `split` for a part of the channels each, or `copy` for all",
        )
    if value == "copy":
        return ()
    count = len(node.branches)
    part, over = divmod(shape.channels, count)
    if over:
        raise evaluator.fail(
            codes.BRANCHES,
            takes.span,
            f"{shape.channels} channels = {count} · {part} + {over}",
            help=f"make the width a multiple of {count}, such as {count * (part + 1)}",
        )
    return (part,) * count


def merge_of(
    expander: "Expander", node: tree.Expr, env: Env
) -> tuple[Operator, tree.Call, Env]:
    """The fuse operator that an expression names, its call, and its place."""
    held = env.values.get(node.id) if isinstance(node, tree.Name) else None
    if isinstance(held, BlockArgument) and held.call is not None:
        name, call, env = held.call.name.id, held.call, held.env
    elif isinstance(held, EnumValue) and isinstance(node, tree.Name):
        name, call = str(held), tree.Call(node.span, node, ())
    elif isinstance(node, tree.Name):
        name, call = node.id, tree.Call(node.span, node, ())
    elif isinstance(node, tree.Call):
        name, call = node.name.id, node
    else:
        name, call = "", None
    operator = operator_of(
        env.unit, tree.Name(node.span, name), expander.evaluator.report
    )
    if call is None or operator is None or operator.role != "merge":
        raise expander.evaluator.fail(
            codes.UNKNOWN_CHOICE,
            call.name.span if call else node.span,
            "this does not fuse branches",
            help=did_you_mean(name, _MERGES),
        )
    return operator, call, env


def _branches(
    expander: "Expander", node: tree.Parallel, env: Env, fed: list[Shape]
) -> tuple[tuple[tuple[ir.Statement, ...], ...], list[Shape]]:
    """Every branch, and what leaves it. A fault in one does not hide the others."""
    bodies, left = [], []
    faults = False
    for body, entering in zip(node.branches, fed, strict=True):
        inside = env.inner(entering.channels)
        try:
            made, leaving = expander.body(body, inside, entering, may_be_empty=True)
        except AlreadyReported:
            faults = True
            continue
        bodies.append(made)
        left.append(leaving)
    if faults:
        raise AlreadyReported
    return tuple(bodies), left


def _hold_alike(
    expander: "Expander", node: tree.Parallel, left: list[Shape], operator: Operator
) -> None:
    """Branches agree in their positions, and mostly in their channels too."""
    first = left[0]
    for body, shape in zip(node.branches[1:], left[1:], strict=True):
        if shape == first:
            continue
        same_places = shape == with_channels(first, shape.channels)
        if same_places and not operator.alike:
            continue
        help = (
            f"end both with as many channels, such as `linear({first.channels})`"
            if same_places
            else "keep the positions of all branches the same"
        )
        raise expander.evaluator.fail(
            codes.BRANCHES,
            _end(body),
            f"{shape} leaves here",
            secondary=[Label(_end(node.branches[0]), f"{first} leaves here")],
            help=help,
        )


def _end(body: tree.Body) -> Span:
    """The last statement of a branch, or its word where it is empty."""
    if body.statements:
        return tree.head(body.statements[-1])
    return Span(body.span.source, body.span.start, body.span.start + len("branch"))
