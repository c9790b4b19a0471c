"""`stack`: iterations elaborated for themselves, equal ones once.

An iteration that must come out like the one before it (same shape in, index not
read) is not repeated.
"""

from typing import TYPE_CHECKING

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.values import Env, names_in, traced
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.shape import Shape

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.expand import Expander


def expand_stack(
    expander: "Expander",
    statement: tree.Stack,
    env: Env,
    shape: Shape,
    label: str | None,
) -> tuple[ir.Stack, Shape]:
    """The statement, and the shape that leaves its last iteration."""
    index = statement.index.id if statement.index else None
    runs: list[ir.Run] = []
    before = 0
    for part in statement.parts:
        count = expander.evaluator.count(part.count, env)
        if count > limits().statements:
            raise expander.evaluator.fail(
                codes.STATEMENTS,
                part.count.span,
                f"this is {count:,}; the limit is {limits().statements:,}",
                notes=[how_to_raise("statements")],
                help="write a smaller number",
            )
        reads_index = index is not None and index in _names_read(part.body)
        done = 0
        while done < count:
            inside = env.inner(shape.channels, index, before + done)
            block, result = _iteration(expander, part.body, inside, shape)
            same_again = not reads_index and result == shape
            repeat = count - done if same_again else 1
            _append(runs, block, repeat)
            done += repeat
            shape = result
        before += count
    stack = ir.Stack(
        runs=tuple(runs),
        name="stack",
        label=label,
        span=traced(tree.head(statement), statement.parts[0].count, env),
    )
    return stack, shape


def _iteration(
    expander: "Expander", body: tree.Body, env: Env, shape: Shape
) -> tuple[str, Shape]:
    """One iteration as a definition: the block it calls, or one of its own."""
    only = body.statements[0] if len(body.statements) == 1 else None
    if isinstance(only, tree.Operation) and only.label is None:
        declared = env.unit.names.get(only.call.name.id)
        if declared and isinstance(declared.declaration, tree.Block):
            return expander.block(only.call, declared, env, shape)
    statements, result = expander.scope(body, env, shape)
    block = ir.Block(
        name="iteration",
        source=shape,
        result=result,
        body=statements,
        inline=True,
        span=body.span,
    )
    return expander.definitions.define(block), result


def _append(runs: list[ir.Run], block: str, repeat: int) -> None:
    """One more run; equal neighbours become one."""
    if runs and runs[-1].block == block:
        repeat += runs.pop().count
    runs.append(ir.Run(count=repeat, block=block))


def _names_read(body: tree.Body) -> set[str]:
    """Every name that the expressions of a body read."""
    found: set[str] = set()
    for statement in body.statements:
        match statement:
            case (
                tree.Operation(_, call) | tree.Region(_, call) | tree.Parallel(_, call)
            ):
                found |= names_in(call).keys()
            case tree.Stack(_, _, parts):
                for part in parts:
                    found |= names_in(part.count).keys()
            case tree.Residual():
                pass
        for inner in tree.bodies(statement):
            found |= _names_read(inner)
    return found
