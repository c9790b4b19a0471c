"""Writes one `nn.Module` class of an emitted source: constructor and `forward`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple

from s2mlp_dsl.ir.program import (
    Body,
    Composite,
    Invocation,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import within
from s2mlp_dsl.lower import formatting
from s2mlp_dsl.lower.formatting import WIDTH, Bracketed, assign, call_with
from s2mlp_dsl.lower.rows import Layout, Layouts, fits_rows, layout_for, layout_of
from s2mlp_dsl.lower.shift_implementations import construct


class Regularizer(NamedTuple):
    """A module at the end of each residual branch: its attribute and constructor.

    It has no parameters, so a model has the same weights with it and without.
    """

    attribute: str
    constructor: str


class Head(NamedTuple):
    """Where a model's body is cut into features and a head, by numbers of statements.

    The head begins with the statement `pool`, which timm calls `global_pool`, and
    `classifier` is its last. Without a pool the features themselves are classified.
    """

    pool: int | None
    classifier: int | None
    global_pool: str

    @property
    def begin(self) -> int | None:
        """The number of its first statement, None where it has none."""
        return self.classifier if self.pool is None else self.pool


DROPOUT = Regularizer("dropout", "nn.Dropout(0.0)")
DROP_PATH = Regularizer("drop_path", "DropPath()")
_VARIABLES = "xyzuvw"


@dataclass(frozen=True)
class ClassWriter:
    """Writes the classes of one model.

    `classes` has the class name of each block. Each residual branch ends in modules of
    its own for the `regularizers`, in their order. `rows` is for GPUs: see `rows.py`.
    """

    model: Model
    classes: Mapping[str, str]
    lowering: str
    regularizers: tuple[Regularizer, ...] = ()
    rows: bool = False

    def write(
        self,
        name: str,
        doc: list[str],
        body: Body,
        source: Shape | None,
        head: Head | None = None,
    ) -> str:
        """The text of a class that runs `body`.

        `source` is the shape of its input, None for the image. With a `head`, `forward`
        is in two parts, as timm's models have it.
        """
        names = [_attributes(body, one.attribute) for one in self.regularizers]
        lines: list[str] = []
        layouts = Layouts(lines, self.rows and fits_rows(body))
        forward = _Forward(self.model, [*map(iter, names)], lines, layouts)
        if head is None:
            forward.body(body, "x", "x", 0, source)
            layouts.convert("x", "map")
            methods = [_signature("forward"), *lines, "        return x"]
        else:
            methods = forward.in_two_parts(body, head, source)
        written = [
            f"class {name}(nn.Module):",
            *doc,
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *self._members(body),
            *(
                f"        self.{attribute} = {one.constructor}"
                for one, attributes in zip(self.regularizers, names, strict=True)
                for attribute in attributes
            ),
            *(_head_members(head) if head else ()),
            "",
            *methods,
        ]
        return "\n".join(written)

    def _members(self, body: Body) -> Iterator[str]:
        for statement in within(body):
            if isinstance(statement, Composite):
                continue
            if isinstance(statement, Op):
                value = formatting.construct(construct(statement, self.lowering))
            elif statement.numbered:
                value = Bracketed("nn.Sequential", tuple(self._runs(statement)))
            else:
                value = Bracketed(self.classes[statement.runs[0].block], ())
            yield from assign(f"self.{statement.name}", value, 8)

    def _runs(self, statement: Invocation) -> Iterator[str]:
        for run in statement.runs:
            made = f"{self.classes[run.block]}()"
            many = f"*[{made} for _ in range({run.count})]"
            yield many if run.count > 1 else made


def _head_members(head: Head) -> list[str]:
    return [
        f'        self.global_pool = "{head.global_pool}"',
        "        self.head_drop = nn.Dropout(0.0)",
    ]


def _signature(name: str, more: str = "") -> str:
    return f"    def {name}(self, x: Tensor{more}) -> Tensor:"


def _attributes(body: Body, stem: str) -> list[str]:
    """An attribute for each residual of a body, in the order they begin."""
    inside = list(within(body))
    taken = {one.name for one in inside if isinstance(one, Op | Invocation)}
    residuals = sum(isinstance(one, Residual) for one in inside)
    names = (f"{stem}{number}" for number in count(1))
    return list(islice((name for name in names if name not in taken), residuals))


@dataclass
class _Forward:
    """Writes the lines of `forward`, each reading the result of the one before."""

    model: Model
    regularizers: list[Iterator[str]]
    lines: list[str]
    layouts: Layouts

    def in_two_parts(self, body: Body, head: Head, shape: Shape | None) -> list[str]:
        """`forward_features` and `forward_head`, and `forward` that runs both."""
        classifier = len(body) if head.classifier is None else head.classifier
        begin = len(body) if head.begin is None else head.begin
        after_pool = begin + (head.pool is not None)

        def part(first: int, last: int, indent: int = 0) -> list[str]:
            before = body[first - 1].output(self.model.definitions) if first else shape
            self.lines.clear()
            self.body(body[first:last], "x", "x", 0, before)
            return [" " * indent + line for line in self.lines]

        features = part(0, begin)
        pooled = part(begin, after_pool, indent=4)
        if pooled:
            pooled.insert(0, '        if self.global_pool != "":')
        return [
            _signature("forward_features"),
            *features,
            "        return x",
            "",
            _signature("forward_head", ", pre_logits: bool = False"),
            *pooled,
            *part(after_pool, classifier),
            "        x = self.head_drop(x)",
            "        if pre_logits:",
            "            return x",
            *part(classifier, len(body)),
            "        return x",
            "",
            _signature("forward"),
            "        return self.forward_head(self.forward_features(x))",
        ]

    def body(
        self,
        body: Body,
        entering: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        """Write a body. Returns the variable with its result.

        `entering` is the variable with the input. Results are assigned to `own`, which
        nothing outside this body still needs.
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
                    layout = layout_for(body[place:])
                    current = self._call(own, statement, [current], shape, layout)
                case Invocation():
                    current = self._call(own, statement, [current], shape, "map")
            shape = statement.output(self.model.definitions)
        return current

    def _residual(
        self,
        residual: Residual,
        current: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        attributes = [next(names) for names in self.regularizers]
        inner = _variable(depth + 1)
        branch = self.body(residual.body, current, inner, depth + 1, shape)
        if attributes:  # stochastic depth drops samples, which rows do not keep apart
            self.layouts.convert(branch, "map")
            self.layouts.convert(current, "map")
        self.layouts.unify([current, branch])
        for attribute in attributes:
            branch = f"self.{attribute}({branch})"
        self.lines.append(f"        {own} = {current} + {branch}")
        self.layouts.assigned([own], current)
        return own

    def _parallel(
        self,
        parallel: Parallel,
        current: str,
        own: str,
        depth: int,
        shape: Shape | None,
    ) -> str:
        """Branches one after the other, each with a variable of its own."""
        assert shape is not None
        inner = _variable(depth + 1)
        owns = [f"{inner}{number + 1}" for number in range(len(parallel.branches))]
        entering = [current] * len(owns)
        if parallel.parts:
            self.layouts.assigned(owns, current)
            split = f"torch.split({current}, {parallel.parts[0]}, dim=-1)"
            self.lines.append(f"        {', '.join(owns)} = {split}")
            entering = owns
        ends = [
            self.body(branch, one, mine, depth + 1, fed)
            for branch, one, mine, fed in zip(
                parallel.branches,
                entering,
                owns,
                parallel.branch_inputs(shape),
                strict=True,
            )
        ]
        return self._call(own, parallel.merge, ends, shape, layout_of(parallel.merge))

    def _call(
        self,
        target: str,
        statement: Op | Invocation,
        arguments: list[str],
        before: Shape | None,
        layout: Layout,
    ) -> str:
        for argument in arguments:
            self.layouts.convert(argument, layout)
        self.layouts.unify(arguments)
        after = statement.output(self.model.definitions)
        call = call_with(target, f"self.{statement.name}", arguments, 8)
        self.layouts.assigned([target], arguments[0])
        if after != before:
            is_rows = target in self.layouts.rows
            axes = f"rows, {after.channels}" if is_rows else _axes(after)
            call = _commented(call, f"[{axes}]")
        self.lines += call
        return target


def _variable(depth: int) -> str:
    return _VARIABLES[depth] if depth < len(_VARIABLES) else f"x{depth}_"


def _commented(lines: list[str], comment: str) -> list[str]:
    """A comment at the end of a line, or above it where that would be too long."""
    commented = f"{lines[0]}  # {comment}"
    if len(lines) == 1 and len(commented) <= WIDTH:
        return [commented]
    return [f"        # {comment}", *lines]


def _axes(shape: Shape) -> str:
    return "batch, " + ", ".join(map(str, shape.dims))
