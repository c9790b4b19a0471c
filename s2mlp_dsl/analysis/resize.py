"""Whether a model's weights serve images of other sizes.

The shapes are computed once more, for an image of twice the height and width.
Regions derive their axes anew; everything else keeps its arguments. Where an operator
refuses, or a tensor would have another shape, the model depends on the size of its
images.
"""

from s2mlp_dsl.ir.flow import Flow
from s2mlp_dsl.ir.program import Model, Op, Parallel, Region, Residual, Run
from s2mlp_dsl.ir.shape import Map, Shape, with_channels
from s2mlp_dsl.operators import Refusal, Step, applied, applied_region

_TIMES = 2


class Bound(Exception):
    """The weights serve one size of images only. Says why."""


def bound_by(model: Model) -> str | None:
    """What ties the weights to one size of images, None where nothing does."""
    image = model.input.result
    assert isinstance(image, Map)
    larger = {"height": _TIMES * image.height, "width": _TIMES * image.width}
    try:
        _Resized(model).body(model.body[1:], image.model_copy(update=larger))
    except Bound as reason:
        return str(reason)
    return None


class _Resized(Flow[Shape]):
    """The shapes for a larger image. Every method raises `Bound`."""

    def op(self, op: Op, value: Shape, path: str, step: Step | None = None) -> Shape:
        before = applied(op)
        operator = before.on(value, step.args if step else None)
        try:
            result = operator.shape()
        except Refusal as refusal:
            raise Bound(f"`{path}`: {refusal.label}") from None
        was = before.tensors()
        operator = operator.on(value, operator.canonical_args())
        for name, shape in operator.tensors().items():
            if was.get(name) != shape:
                raise Bound(
                    f"`{path}.{name}` is {_shape(was[name])}, and would be "
                    f"{_shape(shape)} for images of {_TIMES} times the size"
                )
        return result

    def add(self, residual: Residual, value: Shape, branch: Shape) -> Shape:
        if branch != value:
            raise Bound(f"{value} enters a residual and {branch} leaves")
        return branch

    def split(self, parallel: Parallel, value: Shape) -> list[Shape]:
        return list(parallel.branch_inputs(value))

    def join(self, parallel: Parallel, outputs: list[Shape]) -> Shape:
        channels = sum(output.channels for output in outputs)
        first, *others = (with_channels(output, channels) for output in outputs)
        if any(other != first for other in others):
            raise Bound(f"branches leave {' and '.join(map(str, outputs))}")
        return first

    def region(self, region: Region, value: Shape, prefix: str) -> Shape:
        definition = applied_region(region).on(value)
        try:
            enter = definition.enter()
            inside = self.op(region.enter, value, prefix + region.enter.name, enter)
            after = self.body(region.body, inside, prefix)
            leave = definition.leave(after)
        except Refusal as refusal:
            raise Bound(f"`{region.operator}`: {refusal.label}") from None
        return self.op(region.leave, after, prefix + region.leave.name, leave)

    def run(self, run: Run, value: Shape, prefix: str) -> Shape:
        for _ in range(run.count):
            before = value
            value = self.body(self.model.definitions[run.block].body, value, prefix)
            if value == before:
                break  # the rest of the run does the same
        return value


def _shape(dims: tuple[int, ...]) -> str:
    return " × ".join(map(str, dims))
