"""One module class: its constructor and its forward."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple

from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Stack,
    Statement,
    bodies,
    result_of,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.lower.layout import WIDTH, Bracketed, assign, call_with, construct
from s2mlp_dsl.lower.lowering import Lowering, lowered
from s2mlp_dsl.lower.rows import Form, Rows, form_of, in_rows, wanted


class Drop(NamedTuple):
    """What a residual branch passes through in training: attribute and module."""

    name: str
    module: str


DROPOUT = Drop("dropout", "nn.Dropout(0.0)")
DROP_PATH = Drop("drop_path", "DropPath()")
_VARIABLES = "xyzuvw"


def class_lines(
    name: str,
    doc: list[str],
    body: tuple[Statement, ...],
    model: Model,
    classes: Mapping[str, str],
    source: Shape | None,
    lowering: Lowering,
    drops: tuple[Drop, ...] = (),
    rows: bool = False,
) -> list[str]:
    """The text of a module that runs `body`.

    `classes` gives the class of each definition; `source` is the shape that
    enters, None where the image does. Each residual branch passes through modules
    of its own for the `drops`, in their order. `rows` is for GPUs: see `rows.py`.
    """
    named = [(drop, _drop_names(body, drop.name)) for drop in drops]
    lines: list[str] = []
    forms = Rows(lines, rows and in_rows(body))
    flow = _Flow(model, [iter(names) for _, names in named], lines, forms)
    flow.body(body, "x", "x", 0, source)
    forms.bring("x", "map")
    return [
        f"class {name}(nn.Module):",
        *doc,
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *_members(body, model, classes, lowering),
        *(
            f"        self.{name} = {drop.module}"
            for drop, names in named
            for name in names
        ),
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        *flow.lines,
        "        return x",
    ]


def construct_of(op: Op, lowering: Lowering) -> Bracketed:
    return construct(lowered(op, lowering))


def _members(
    body: tuple[Statement, ...],
    model: Model,
    classes: Mapping[str, str],
    lowering: Lowering,
) -> list[str]:
    lines: list[str] = []
    for statement in body:
        match statement:
            case Op():
                value = construct_of(statement, lowering)
                lines += assign(f"self.{statement.name}", value, 8)
            case Residual() | Parallel() | Region():
                for inner in bodies(statement):
                    lines += _members(inner, model, classes, lowering)
            case Call():
                value = Bracketed(classes[statement.block], ())
                lines += assign(f"self.{statement.name}", value, 8)
            case Stack():
                lines += assign(f"self.{statement.name}", _runs(statement, classes), 8)
    return lines


def _runs(stack: Stack, classes: Mapping[str, str]) -> Bracketed:
    runs = tuple(
        f"*[{classes[run.block]}() for _ in range({run.count})]"
        if run.count > 1
        else f"{classes[run.block]}()"
        for run in stack.runs
    )
    return Bracketed("nn.Sequential", runs)


def _drop_names(body: tuple[Statement, ...], stem: str) -> list[str]:
    """An attribute for each residual of a body, in the order they begin."""
    inside = list(_all_in(body))
    taken = {one.name for one in inside if isinstance(one, Op | Call | Stack)}
    residuals = sum(isinstance(one, Residual) for one in inside)
    names = (f"{stem}{number}" for number in count(1))
    return list(islice((name for name in names if name not in taken), residuals))


def _all_in(body: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in body:
        yield statement
        for inner in bodies(statement):
            yield from _all_in(inner)


@dataclass
class _Flow:
    """Writes the statements of `forward`, each reading what the one before left."""

    model: Model
    drops: list[Iterator[str]]
    lines: list[str]
    forms: Rows

    def body(
        self,
        body: tuple[Statement, ...],
        entering: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        """Write a body. Returns the variable with its result.

        `entering` is the variable that holds the input; results go into `own`,
        which nothing outside this body still needs.
        """
        current = entering
        for place, statement in enumerate(body):
            match statement:
                case Residual():
                    current = self._residual(statement, current, own, depth, shape)
                case Parallel():
                    current = self._parallel(statement, current, own, depth, shape)
                case Region():
                    current = self.body(statement.sequence, current, own, depth, shape)
                case Op():
                    form = wanted(body[place:])
                    self._call(own, statement, [current], shape, form)
                    current = own
                case Call() | Stack():
                    self._call(own, statement, [current], shape, "map")
                    current = own
            shape = result_of(self.model, statement)
        return current

    def _residual(
        self,
        residual: Residual,
        current: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        drops = [next(names) for names in self.drops]
        inner = _variable(depth + 1)
        branch = self.body(residual.body, current, inner, depth + 1, shape)
        if drops:  # samples are dropped, and rows know none
            self.forms.bring(branch, "map")
            self.forms.bring(current, "map")
        self.forms.alike([current, branch])
        dropped = branch
        for drop in drops:
            dropped = f"self.{drop}({dropped})"
        self.lines.append(f"        {own} = {current} + {dropped}")
        self.forms.made([own], current)
        return own

    def _parallel(
        self,
        parallel: Parallel,
        current: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        """Branches one after the other, in variables of their own."""
        assert shape is not None
        inner = _variable(depth + 1)
        owns = [f"{inner}{number + 1}" for number in range(len(parallel.branches))]
        entering = [current] * len(owns)
        if parallel.parts:
            self.forms.made(owns, current)
            split = f"torch.split({current}, {parallel.parts[0]}, dim=-1)"
            self.lines.append(f"        {', '.join(owns)} = {split}")
            entering = owns
        ends = [
            self.body(branch, one, mine, depth + 1, fed)
            for branch, one, mine, fed in zip(
                parallel.branches, entering, owns, parallel.fed(shape), strict=True
            )
        ]
        self._call(own, parallel.merge, ends, shape, form_of(parallel.merge))
        return own

    def _call(
        self,
        target: str,
        statement: Op | Call | Stack,
        arguments: list[str],
        before: Shape | None,
        form: Form,
    ) -> None:
        for argument in arguments:
            self.forms.bring(argument, form)
        self.forms.alike(arguments)
        after = result_of(self.model, statement)
        call = call_with(target, f"self.{statement.name}", arguments, 8)
        self.forms.made([target], arguments[0])
        axes = (
            f"[rows, {after.channels}]" if target in self.forms.held else _axes(after)
        )
        self.lines += call if after == before else _commented(call, axes)


def _variable(depth: int) -> str:
    return _VARIABLES[depth] if depth < len(_VARIABLES) else f"x{depth}_"


def _commented(lines: list[str], comment: str) -> list[str]:
    """A comment behind a line, or above it where that would be too long."""
    behind = f"{lines[0]}  # {comment}"
    if len(lines) == 1 and len(behind) <= WIDTH:
        return [behind]
    return [f"        # {comment}", *lines]


def _axes(shape: Shape) -> str:
    return "[batch, " + ", ".join(map(str, shape.dims)) + "]"
