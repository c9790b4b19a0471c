"""What the convolutions of a map have in common: all of it but their arguments.

A depthwise one has a group for each channel. Either has weights, or fixed kernels
in their place (kernels.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from s2mlp_dsl.ir.program import Kernels
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    NONE,
    Args,
    Array,
    Operator,
    Parameter,
    Properties,
    Reads,
    Refusal,
    Term,
    need_map,
)
from s2mlp_dsl.operators.kernels import (
    array,
    coefficients,
    crossing,
    fit,
    is_alike,
    is_off_centre,
    parts_of,
    with_channels,
)
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField
from s2mlp_dsl.operators.window import Windows

EDGE = Parameter(
    "edge",
    "enum",
    "what is read outside the map",
    "zeros",
    ("zeros", "replicate", "circular", "reflect"),
)
STRIDE = Parameter("stride", "count", "positions from one window to the next", 1)
# Not a word that is kept: what stands for a bias that is not said.
UNLESS_FIXED = "unless fixed"
BIAS = Parameter("bias", "enum", "whether b is there", UNLESS_FIXED, ("on", "off"))


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution of a map: `entering` channels in `groups`, `width` that leave."""

    windows: Windows
    entering: int
    width: int
    groups: int
    bias: bool
    fixed: Kernels | None

    @property
    def within(self) -> int:
        """The channels that enter a group."""
        return self.entering // self.groups

    @property
    def is_apart(self) -> bool:
        """Whether each channel is convolved by itself."""
        return self.groups == self.entering == self.width


class Convolution(Operator):
    def layer(self, x: Shape | None, a: Args) -> Layer:
        """What the arguments mean on a map."""
        raise NotImplementedError

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = need_map(x)
        one = self.layer(x, a)
        if one.fixed is not None:
            fit(one.fixed, one.windows.size, one.within, one.width)
            if a.enum("bias") == "on":
                raise Refusal(
                    codes.KERNELS,
                    "a bias would be learned",
                    argument="bias",
                    help="remove it; `norm(affine)` brings a bias and a factor",
                )
        return one.windows.shape(x, one.width)

    def settle(self, x: Shape | None, a: Args) -> Args:
        fixed = a.kernels("fixed")
        bias = a.enum("bias")
        if bias == UNLESS_FIXED:
            bias = "on" if fixed is None else "off"
        kept = {**a.values, "bias": bias}
        if fixed is None:
            kept.pop("fixed", None)
        return Args(kept)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        one = self.layer(x, a)
        if one.fixed is not None:
            return {}
        side = one.windows.size
        bias = {"bias": (one.width,)} if one.bias else {}
        return {"weight": (one.width, one.within, side, side), **bias}

    def dropped(self, x: Shape | None, a: Args) -> tuple[int, int]:
        assert isinstance(x, Map)
        return self.layer(x, a).windows.dropped(x)

    def macs(self, x: Shape | None, a: Args) -> int:
        one = self.layer(x, a)
        each = one.within * one.windows.size**2
        return positions(self.shape(x, a)) * one.width * each

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Map)
        one = self.layer(x, a)
        if one.fixed is not None and one.is_apart:
            return ReceptiveField(
                mixes=False, parts=parts_of(one.fixed, one.windows, x)
            )
        if one.fixed is not None:
            parts = crossing(one.fixed, one.windows, x, one.width, one.groups)
            return ReceptiveField(
                mixes=True, parts=parts, groups=one.groups, listed=True
            )
        part = Part(None, one.windows.grid(x))
        if one.is_apart:
            return ReceptiveField(mixes=False, parts=(part,))
        return ReceptiveField(mixes=True, parts=(part,), groups=one.groups)

    def properties(self, x: Shape | None, a: Args) -> Properties:
        one = self.layer(x, a)
        size, pad = one.windows.size, one.windows.pad
        if one.fixed is not None:
            wide = is_off_centre(one.fixed, pad)
            alike = is_alike(one.fixed, one.groups, one.width)
        else:
            wide = size > 1 or pad > 0
            # With a group for each channel it is a depthwise convolution.
            alike = one.groups < one.entering or one.entering == 1
        reads: Reads = "neighbours" if wide else "position"
        return Properties(one.fixed is None, reads, False, not alike)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        size = Map(height=x.shape[-3], width=x.shape[-2], channels=x.shape[-1])
        one = self.layer(size, a)
        _, flat = one.windows.on(x)
        kernels = (
            tensors["weight"] if one.fixed is None else array(one.fixed, one.width)
        )
        # [offset, group, channels that enter it, channels that leave it]
        by_offset = kernels.reshape(one.groups, -1, one.within, one.windows.size**2)
        by_offset = by_offset.transpose(3, 0, 2, 1)
        count = positions(one.windows.shape(size, 1))
        y = np.zeros((len(flat), count, one.width))
        for offset, (places, sources) in one.windows.by_offset(size).items():
            if one.is_apart:
                y[:, places] += flat[:, sources] * by_offset[offset, :, 0, 0]
                continue
            seen = flat[:, sources].reshape(-1, one.groups, one.within)
            found = seen.transpose(1, 0, 2) @ by_offset[offset]
            y[:, places] += found.transpose(1, 0, 2).reshape(len(flat), -1, one.width)
        if "bias" in tensors:
            y += tensors["bias"]
        return one.windows.back(x, y)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        one = self.layer(x, a)
        if one.fixed is not None:
            yield from _fixed_map(one, one.fixed, x)
            return
        leaving = one.width // one.groups
        for place, reads in enumerate(one.windows.reads(x)):
            for out in range(one.width):
                target, first = (place, out), out // leaving * one.within
                for (offset, source), c in product(reads, range(one.within)):
                    yield Term(target, (source, first + c), (out, c, offset))
                if one.bias:
                    yield Term(target, None, (out,))


def _fixed_map(one: Layer, fixed: Kernels, x: Map) -> Iterator[Term]:
    leaving = one.width // one.groups
    for kernels, outs in with_channels(fixed, one.width):
        for c, kernel in enumerate(kernels):
            for place, row in enumerate(coefficients(kernel, one.windows, x)):
                for (source, value), out in product(row.items(), outs):
                    entering = (source, out // leaving * one.within + c)
                    yield Term((place, out), entering, None, value)


def fixed_parameter(what: str) -> Parameter:
    return Parameter("fixed", "kernels", what, NONE)
