"""One module class: its constructor and its forward."""

from collections.abc import Iterator, Mapping
from itertools import count, islice

from s2mlp_dsl.ir.program import Call, Model, Op, Residual, Stack, Statement, result_of
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.lower.layout import WIDTH, Bracketed, assign, call_with, construct
from s2mlp_dsl.lower.lowering import Lowering, lowered

DROP_PATH = "DropPath"
_VARIABLES = "xyzuvw"


def class_lines(
    name: str,
    doc: list[str],
    body: tuple[Statement, ...],
    model: Model,
    classes: Mapping[str, str],
    source: Shape | None,
    lowering: Lowering,
    drop_path: bool = False,
) -> list[str]:
    """The text of a module that runs `body`.

    `classes` gives the class of each definition; `source` is the shape that
    enters, None where the image does. With `drop_path`, each residual branch
    passes through a `DropPath` of its own.
    """
    forward: list[str] = []
    drops = _drop_names(body) if drop_path else []
    _flow(body, model, "x", 0, source, forward, iter(drops))
    return [
        f"class {name}(nn.Module):",
        *doc,
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *_members(body, model, classes, lowering),
        *(f"        self.{name} = {DROP_PATH}()" for name in drops),
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        *forward,
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
            case Residual():
                lines += _members(statement.body, model, classes, lowering)
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


def _drop_names(body: tuple[Statement, ...]) -> list[str]:
    """An attribute for each residual of a body, in the order they begin."""
    taken: set[str] = set()
    residuals = 0
    open_bodies = [body]
    while open_bodies:
        for statement in open_bodies.pop():
            if isinstance(statement, Residual):
                residuals += 1
                open_bodies.append(statement.body)
            else:
                taken.add(statement.name)
    names = (f"drop_path{number}" for number in count(1))
    return list(islice((name for name in names if name not in taken), residuals))


def _flow(
    body: tuple[Statement, ...],
    model: Model,
    entering: str,
    depth: int,
    shape: Shape | None,
    lines: list[str],
    drops: Iterator[str],
) -> str:
    """Statements of a body, each reading what the one before it left.

    `entering` is the variable that holds the input, which a residual must not
    overwrite. Returns the variable with the result.
    """
    own = _VARIABLES[depth] if depth < len(_VARIABLES) else f"x{depth}"
    current = entering
    for statement in body:
        if isinstance(statement, Residual):
            drop = next(drops, None)
            branch = _flow(
                statement.body, model, current, depth + 1, shape, lines, drops
            )
            branch = f"self.{drop}({branch})" if drop else branch
            lines.append(f"        {own} = {current} + {branch}")
        else:
            after = result_of(model, statement)
            call = call_with(own, f"self.{statement.name}", current, 8)
            lines += call if after == shape else _commented(call, _axes(after))
            shape = after
        current = own
    return current


def _commented(lines: list[str], comment: str) -> list[str]:
    """A comment behind a line, or above it where that would be too long."""
    behind = f"{lines[0]}  # {comment}"
    if len(lines) == 1 and len(behind) <= WIDTH:
        return [behind]
    return [f"        # {comment}", *lines]


def _axes(shape: Shape) -> str:
    return "[batch, " + ", ".join(map(str, shape.dims)) + "]"
