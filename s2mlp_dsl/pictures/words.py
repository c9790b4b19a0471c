"""What statements are called in pictures."""

from s2mlp_dsl.ir.print import print_op, print_value
from s2mlp_dsl.ir.program import Composite, Invocation, Op, Region, Shift, Statement
from s2mlp_dsl.ir.walk import within
from s2mlp_dsl.operators import SIGNATURES


def written(op: Op) -> str:
    """The statement as a spec writes it: `head: linear(1000)`."""
    return labelled(op) + print_op(op, SIGNATURES[op.operator])


def labelled(statement: Statement | Invocation) -> str:
    """What stands before a statement: `head: `, or nothing."""
    return f"{statement.label}: " if statement.label else ""


def titled(region: Region) -> tuple[str, str]:
    """`pad` and `y, multiple 4, edge zeros`."""
    first, *others = ((name, print_value(value)) for name, value in region.args)
    said = [first[1].strip('"'), *(f"{name} {value}" for name, value in others)]
    return labelled(region) + region.operator, ", ".join(said)


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
    return [one.name for one in within((statement,)) if not isinstance(one, Composite)]
