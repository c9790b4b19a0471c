"""What statements are called in pictures."""

from typing import assert_never

from s2mlp_dsl.ir.print import print_op, print_value
from s2mlp_dsl.ir.program import (
    Call,
    Op,
    Parallel,
    Region,
    Residual,
    Shift,
    Stack,
    Statement,
    bodies,
)
from s2mlp_dsl.operators import SIGNATURES


def written(op: Op) -> str:
    """The statement as a spec writes it: `head: linear(1000)`."""
    return labelled(op) + print_op(op, SIGNATURES[op.operator])


def labelled(statement: Op | Call | Stack) -> str:
    """What stands before a statement: `head: `, or nothing."""
    return f"{statement.label}: " if statement.label else ""


def titled(region: Region) -> tuple[str, str]:
    """`pad` and `y, multiple 4, edge zeros`."""
    label = f"{region.label}: " if region.label else ""
    first, *others = ((name, print_value(value)) for name, value in region.args)
    said = [first[1].strip('"'), *(f"{name} {value}" for name, value in others)]
    return label + region.operator, ", ".join(said)


def alike(like: str, name: str, *, inline: bool) -> str:
    """What a closed box says of the open one above it; its own name says that."""
    sizes = "" if like == name else ", other sizes"
    if inline:
        return f"as above{sizes}"
    return f"as {like}{sizes}" if sizes else ""


def edge_rule(shift: Shift) -> str:
    """`edge keep`, and whether channels take turns."""
    interleaved = ", interleaved" if shift.interleaved else ""
    return f"edge {shift.edge}{interleaved}"


def names_in(statement: Statement) -> list[str]:
    """Names of the modules of a statement: residuals have none of their own."""
    match statement:
        case Op() | Call() | Stack():
            return [statement.name]
        case Residual() | Parallel() | Region():
            inside = [one for body in bodies(statement) for one in body]
            return [name for one in inside for name in names_in(one)]
        case _:
            assert_never(statement)
