"""Whether a model's weights serve images of other sizes.

The shapes are carried through the program once more, for an image of twice the
height and width. Scopes take their axes apart anew; everything else keeps its
arguments. Where an operator refuses, or a tensor would have another shape, the
model is bound to the size of its images.
"""

from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Stack,
    Statement,
)
from s2mlp_dsl.ir.shape import Map, Shape, with_channels
from s2mlp_dsl.operators import REGIONS, Args, Refusal, applied
from s2mlp_dsl.operators.region import Step

_TIMES = 2


class Bound(Exception):
    """The model is bound to its size. Says by what."""


def bound_by(model: Model) -> str | None:
    """What binds a model to the size of its images, None where nothing does."""
    image = model.input.result
    assert isinstance(image, Map)
    larger = {"height": _TIMES * image.height, "width": _TIMES * image.width}
    try:
        _Resized(model).body(model.body[1:], image.model_copy(update=larger), "")
    except Bound as reason:
        return str(reason)
    return None


class _Resized:
    def __init__(self, model: Model) -> None:
        self.model = model

    def body(self, body: tuple[Statement, ...], x: Shape, prefix: str) -> Shape:
        """The shape that leaves. Raises `Bound`."""
        for statement in body:
            x = self._statement(statement, x, prefix)
        return x

    def _statement(self, statement: Statement, x: Shape, prefix: str) -> Shape:
        match statement:
            case Op():
                return self._op(statement, x, prefix)
            case Residual():
                after = self.body(statement.body, x, prefix)
                if after != x:
                    raise Bound(f"{x} enters a residual and {after} leaves")
                return after
            case Parallel():
                return self._parallel(statement, x, prefix)
            case Region():
                return self._region(statement, x, prefix)
            case Call():
                block = self.model.definitions[statement.block]
                return self.body(block.body, x, f"{prefix}{statement.name}.")
            case Stack():
                return self._stack(statement, x, prefix)

    def _stack(self, stack: Stack, x: Shape, prefix: str) -> Shape:
        for index, run in stack.indexed:
            block = self.model.definitions[run.block]
            for _ in range(run.count):
                before = x
                x = self.body(block.body, x, f"{prefix}{stack.name}.{index}.")
                if x == before:
                    break  # the rest of the run does the same
        return x

    def _parallel(self, parallel: Parallel, x: Shape, prefix: str) -> Shape:
        fed = parallel.fed(x)
        left = [
            self.body(branch, one, prefix)
            for branch, one in zip(parallel.branches, fed, strict=True)
        ]
        channels = [one.channels for one in left]
        first, *others = (with_channels(one, sum(channels)) for one in left)
        if any(one != first for one in others):
            raise Bound(f"branches leave {' and '.join(map(str, left))}")
        return self._op(parallel.merge, first, prefix)

    def _region(self, statement: Region, x: Shape, prefix: str) -> Shape:
        region, args = REGIONS[statement.operator], Args(dict(statement.args))
        try:
            enter = region.enter(x, args)
            inside = self._op(statement.enter, x, prefix, enter)
            after = self.body(statement.body, inside, prefix)
            leave = region.leave(x, args, after)
        except Refusal as refusal:
            raise Bound(f"`{statement.operator}`: {refusal.label}") from None
        return self._op(statement.leave, after, prefix, leave)

    def _op(self, op: Op, x: Shape, prefix: str, step: Step | None = None) -> Shape:
        before = applied(op)
        operator = before.on(x, Args(step.args) if step else None)
        path = prefix + op.name
        try:
            result = operator.shape()
        except Refusal as refusal:
            raise Bound(f"`{path}`: {refusal.label}") from None
        was = before.tensors()
        for name, shape in operator.on(x, operator.resolved()).tensors().items():
            if was.get(name) != shape:
                raise Bound(
                    f"`{path}.{name}` is {_shape(was[name])}, and would be "
                    f"{_shape(shape)} for images of {_TIMES} times the size"
                )
        return result


def _shape(dims: tuple[int, ...]) -> str:
    return " × ".join(map(str, dims))
