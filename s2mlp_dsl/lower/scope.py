"""One module class: its constructor and its forward."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from typing import NamedTuple

from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Residual,
    Scope,
    Stack,
    Statement,
    bodies,
    result_of,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.lower.layout import WIDTH, Bracketed, assign, call_with, construct
from s2mlp_dsl.lower.lowering import Lowering, lowered


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
) -> list[str]:
    """The text of a module that runs `body`.

    `classes` gives the class of each definition; `source` is the shape that
    enters, None where the image does. Each residual branch passes through modules
    of its own for the `drops`, in their order.
    """
    named = [(drop, _drop_names(body, drop.name)) for drop in drops]
    flow = _Flow(model, [iter(names) for _, names in named])
    flow.body(body, "x", "x", 0, source)
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
            case Residual() | Parallel() | Scope():
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
    lines: list[str] = field(default_factory=list)

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
        for statement in body:
            match statement:
                case Residual():
                    current = self._residual(statement, current, own, depth, shape)
                case Parallel():
                    current = self._parallel(statement, current, own, depth, shape)
                case Scope():
                    current = self.body(statement.sequence, current, own, depth, shape)
                case Op() | Call() | Stack():
                    after = result_of(self.model, statement)
                    self._call(own, statement.name, [current], shape, after)
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
        for drop in drops:
            branch = f"self.{drop}({branch})"
        self.lines.append(f"        {own} = {current} + {branch}")
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
            split = f"{current}.split({parallel.parts[0]}, dim=-1)"
            self.lines.append(f"        {', '.join(owns)} = {split}")
            entering = owns
        ends = [
            self.body(branch, one, mine, depth + 1, fed)
            for branch, one, mine, fed in zip(
                parallel.branches, entering, owns, parallel.fed(shape), strict=True
            )
        ]
        self._call(own, parallel.fuse.name, ends, shape, parallel.fuse.result)
        return own

    def _call(
        self,
        target: str,
        name: str,
        arguments: list[str],
        before: Shape | None,
        after: Shape,
    ) -> None:
        call = call_with(target, f"self.{name}", arguments, 8)
        self.lines += call if after == before else _commented(call, _axes(after))


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
