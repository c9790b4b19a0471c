"""A program as a parameterless `.arch` file that elaborates to an equal one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from s2mlp_dsl.ir.program import (
    Arguments,
    Call,
    Kernels,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Shift,
    ShiftGroup,
    Stack,
    Statement,
    Value,
)
from s2mlp_dsl.ir.walk import ops_in

# For each operator, its arguments in order with their defaults.
Signatures = Mapping[str, Mapping[str, Value | None]]
Note = Callable[[Statement], str | None]


def print_model(model: Model, signatures: Signatures, note: Note | None = None) -> str:
    """Canonical text of a program: byte-identical for equal programs.

    `signatures` gives every operator's parameters with their defaults, so that
    an argument is written only where it says something. What `note` says of a
    statement stands beside it as a comment.
    """
    printer = _Printer(model, signatures, note)
    parts = ["edition 1"]
    shifts: dict[str, Shift] = {}
    for op in ops_in(model):
        for _, value in op.args:
            if isinstance(value, Shift) and value.name != "none":
                shifts.setdefault(value.name, value)
    parts += ["\n".join(_shift(shift)) for shift in shifts.values()]
    for block in model.blocks:
        if not block.inline:
            lines = [f"block {block.name} {{", *printer.body(block.body, 1), "}"]
            parts.append("\n".join([*_doc(block.doc), *lines]))
    lines = [f"model {model.name} {{", *printer.body(model.body, 1), "}"]
    parts.append("\n".join([*_doc(model.doc), *lines]))
    return "\n\n".join(parts) + "\n"


def _doc(doc: str | None) -> list[str]:
    if not doc:
        return []
    # Four quotes in a row would end the text one character too early.
    space = " " if doc.endswith('"') else ""
    return [f'"""{doc}{space}"""']


def _shift(shift: Shift) -> Iterator[str]:
    yield f"shift {shift.name} {{"
    yield f"    edge {shift.edge}"
    if shift.interleaved:
        yield "    interleave"
    last = len(shift.groups) - 1
    for number, group in enumerate(shift.groups):
        is_rest = bool(shift.interleaved) and number == last >= shift.interleaved
        share = "rest" if is_rest else f"{group.channels}/dim"
        yield f"    {share} {displacement(group)}"
    yield "}"


def displacement(group: ShiftGroup) -> str:
    """`right 2 up 1`, or `stay`."""
    moves = []
    for steps, forward, back in (
        (group.right, "right", "left"),
        (group.down, "down", "up"),
        (group.later, "later", "earlier"),
    ):
        if steps:
            moves.append(f"{forward if steps > 0 else back} {abs(steps)}")
    return " ".join(moves) or "stay"


def print_value(value: Value) -> str:
    """An argument as a spec writes it."""
    if isinstance(value, Shift):
        return value.name
    if isinstance(value, Kernels):
        filters = [
            [_list(_list(map(str, row)) for row in kernel) for kernel in one]
            for one in value.filters
        ]
        if not value.is_single:
            return _list(map(_list, filters))
        kernels = [kernel for (kernel,) in filters]
        return kernels[0] if len(kernels) == 1 else _list(kernels)
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    is_text = isinstance(value, str) and not value.isidentifier()
    return f'"{value}"' if is_text else str(value)


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def print_op(op: Op, signature: Mapping[str, Value | None]) -> str:
    """`norm(layer)`, or `gelu` where no argument says anything."""
    listed = print_arguments(op.args, signature)
    return f"{op.operator}({', '.join(listed)})" if listed else op.operator


def print_arguments(
    args: Arguments, signature: Mapping[str, Value | None]
) -> list[str]:
    """Arguments without a default first, then what differs.

    What the signature does not know is implied by the place, and not written.
    """
    listed = []
    for name, value in args:
        if name not in signature:
            continue
        default = signature[name]
        if default is None:
            listed.append(print_value(value))
        elif value != default:
            listed.append(f"{name} = {print_value(value)}")
    return listed


class _Printer:
    def __init__(self, model: Model, signatures: Signatures, note: Note | None) -> None:
        self.model, self.signatures = model, signatures
        self.note = note or (lambda statement: None)

    def body(self, body: tuple[Statement, ...], level: int) -> Iterator[str]:
        for statement in body:
            label = f"{statement.label}: " if statement.label else ""
            lines = list(self._statement(statement, level))
            note = self.note(statement)
            beside = f"  # {note}" if note else ""
            lines[0] = f"{'    ' * level}{label}{lines[0]}{beside}"
            yield from lines

    def _statement(self, statement: Statement, level: int) -> Iterator[str]:
        match statement:
            case Op():
                yield print_op(statement, self.signatures[statement.operator])
            case Call(block=name):
                yield name
            case Residual(body=body):
                yield "residual {"
                yield from self.body(body, level + 1)
                yield "    " * level + "}"
            case Parallel():
                yield from self._parallel(statement, level)
            case Region(operator=name, args=args):
                listed = print_arguments(args, self.signatures[name])
                yield f"{name}({', '.join(listed)}) {{"
                yield from self.body(statement.body, level + 1)
                yield "    " * level + "}"
            case Stack():
                yield from self._stack(statement, level)

    def _parallel(self, parallel: Parallel, level: int) -> Iterator[str]:
        merge = print_op(parallel.merge, self.signatures[parallel.merge.operator])
        yield f"parallel({'split' if parallel.parts else 'copy'}, merge = {merge}) {{"
        margin = "    " * (level + 1)
        for branch in parallel.branches:
            yield f"{margin}branch {{"
            yield from self.body(branch, level + 2)
            yield f"{margin}}}"
        yield "    " * level + "}"

    def _stack(self, stack: Stack, level: int) -> Iterator[str]:
        for number, run in enumerate(stack.runs):
            word = "stack" if number == 0 else "    " * level + "} then"
            yield f"{word} {run.count} {{"
            block = self.model.definitions[run.block]
            if block.inline:
                yield from self.body(block.body, level + 1)
            else:
                yield "    " * (level + 1) + block.name
        yield "    " * level + "}"
