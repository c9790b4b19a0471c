"""A program as a parameterless `.arch` file that elaborates to an equal one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.ir.program import (
    Arguments,
    Body,
    Call,
    Kernels,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Run,
    Shift,
    ShiftGroup,
    Stack,
    Statement,
    Value,
)
from s2mlp_dsl.ir.walk import ops_in


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters that must be given, and the others with their defaults.

    A default is None where the operator derives it: the argument is always written.
    """

    required: frozenset[str]
    defaults: Mapping[str, Value | None]


Signatures = Mapping[str, Signature]  # of each operator and region
Note = Callable[[Statement], str | None]


def print_model(model: Model, signatures: Signatures, note: Note | None = None) -> str:
    """Canonical text of a program: byte-identical for equal programs.

    `signatures` gives every operator's parameters with their defaults, so that
    an argument is written only where it differs. What `note` returns for a statement
    is written beside it as a comment.
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
    # Four quotes in a row would end the string one character too early.
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
    return " ".join(f"{move} {steps}" for move, steps in group.moves) or "stay"


def print_value(value: Value) -> str:
    """An argument as a spec writes it."""
    if isinstance(value, Shift):
        return value.name
    if isinstance(value, Kernels):
        filters = [
            [_list(_list(map(str, row)) for row in kernel) for kernel in kernels]
            for kernels in value.filters
        ]
        if not value.is_single:
            return _list(map(_list, filters))
        single = [kernel for (kernel,) in filters]
        return single[0] if len(single) == 1 else _list(single)
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    is_string = isinstance(value, str) and not value.isidentifier()
    return f'"{value}"' if is_string else str(value)


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def print_op(op: Op, signature: Signature) -> str:
    """`norm(layer)`, or `gelu` where every argument has its default."""
    listed = print_arguments(op.args, signature)
    return f"{op.operator}({', '.join(listed)})" if listed else op.operator


def print_arguments(args: Arguments, signature: Signature) -> list[str]:
    """Required arguments first, then those that differ from their defaults.

    One that the signature does not have is implied by the place, and not written.
    """
    listed = []
    for name, value in args:
        if name in signature.required:
            listed.append(print_value(value))
        elif name in signature.defaults and value != signature.defaults[name]:
            listed.append(f"{name} = {print_value(value)}")
    return listed


class _Printer:
    def __init__(self, model: Model, signatures: Signatures, note: Note | None) -> None:
        self.model, self.signatures = model, signatures
        self.note = note or (lambda statement: None)

    def body(self, body: Body, level: int) -> Iterator[str]:
        for statement in body:
            label = f"{statement.label}: " if statement.label else ""
            first, *others = self._statement(statement, level)
            note = self.note(statement)
            beside = f"  # {note}" if note else ""
            yield f"{'    ' * level}{label}{first}{beside}"
            yield from others

    def _statement(self, statement: Statement, level: int) -> Iterator[str]:
        """The lines of a statement, the first without its margin."""
        match statement:
            case Op():
                yield print_op(statement, self.signatures[statement.operator])
            case Call(block=name):
                yield name
            case Residual(body=body):
                yield from self._braces("residual", body, level)
            case Region(operator=name, args=args, body=body):
                listed = print_arguments(args, self.signatures[name])
                yield from self._braces(f"{name}({', '.join(listed)})", body, level)
            case Parallel(merge=merge):
                feed = "split" if statement.parts else "copy"
                how = print_op(merge, self.signatures[merge.operator])
                yield f"parallel({feed}, merge = {how}) {{"
                margin = "    " * (level + 1)
                for branch in statement.branches:
                    first, *others = self._braces("branch", branch, level + 1)
                    yield margin + first
                    yield from others
                yield "    " * level + "}"
            case Stack(runs=runs):
                yield from self._runs("stack", runs, level)

    def _braces(self, head: str, body: Body, level: int) -> Iterator[str]:
        yield f"{head} {{"
        yield from self.body(body, level + 1)
        yield "    " * level + "}"

    def _runs(self, head: str, runs: Sequence[Run], level: int) -> Iterator[str]:
        """`stack 2 { … } then 3 { … }`: each block in place, or by its name."""
        for run in runs:
            yield f"{head} {run.count} {{"
            block = self.model.definitions[run.block]
            if block.inline:
                yield from self.body(block.body, level + 1)
            else:
                yield "    " * (level + 1) + block.name
            head = "    " * level + "} then"
        yield "    " * level + "}"
