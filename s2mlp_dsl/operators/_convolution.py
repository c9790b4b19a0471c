"""What the convolutions of a map have in common.

A depthwise convolution has a group for each channel. The weights are learned, or fixed
kernels (_fixed_kernels.py).
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import cast

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Edge, Kernels, Value
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators import (
    PADDING_MODES,
    Array,
    Count,
    Enum,
    KernelsArgument,
    Operator,
    OptionalSwitch,
    Part,
    Properties,
    ReceptiveField,
    Refusal,
    Term,
    Windows,
)
from s2mlp_dsl.operators._fixed_kernels import (
    check_fixed,
    coefficients,
    depthwise_parts,
    is_channel_agnostic,
    mixing_parts,
    reads_all,
    reads_neighbours,
    weight,
    with_channels,
)


class Convolution(Operator):
    has_matrices = True
    kernel = Count("side of the kernel")
    stride = Count("positions from one window to the next", 1)
    edge = Enum("what is read outside the map", "zeros", choices=PADDING_MODES)
    bias = OptionalSwitch("whether b is added; off with fixed kernels")
    fixed = KernelsArgument("constants in place of learned weights")

    @property
    def pad_width(self) -> int:
        return self.kernel // 2

    @property
    def outputs(self) -> int:
        """Output channels."""
        return self.x.channels

    @property
    def group_count(self) -> int:
        return self.x.channels

    @property
    def group_channels(self) -> int:
        """Input channels of a group."""
        return self.x.channels // self.group_count

    @property
    def is_depthwise(self) -> bool:
        return self.group_count == self.x.channels == self.outputs

    @property
    def has_bias(self) -> bool:
        return self.fixed is None if self.bias is None else self.bias

    @property
    def windows(self) -> Windows:
        edge = cast(Edge, self.edge)
        return Windows(self.map, self.kernel, self.stride, self.pad_width, edge)

    def shape(self) -> Shape:
        if self.fixed is not None:
            check_fixed(self.fixed, self.kernel, self.group_channels, self.outputs)
            if self.bias:
                raise Refusal(shapes.LEARNED_BIAS, argument="bias")
        return self.windows.result(self.outputs)

    def canonical_args(self) -> Mapping[str, Value]:
        return self.args_with(
            bias="on" if self.has_bias else "off",
            fixed=self.fixed,
        )

    def tensors(self) -> dict[str, tuple[int, ...]]:
        if self.fixed is not None:
            return {}
        size = (self.outputs, self.group_channels, self.kernel, self.kernel)
        return {"weight": size, **({"bias": (self.outputs,)} if self.has_bias else {})}

    def unread(self) -> tuple[int, int]:
        return self.windows.unread()

    def macs(self) -> int:
        each = self.group_channels * self.kernel**2
        return positions(self.shape()) * self.outputs * each

    def listed_reads(self) -> int:
        if self.fixed is None:
            return 0
        kernels = {kernel for kernels in self.fixed.filters for kernel in kernels}
        if self.is_depthwise:
            kernels = {one for one in kernels if not reads_all(one)}
        return positions(self.shape()) * self.kernel**2 * len(kernels)

    def receptive_field(self) -> ReceptiveField:
        groups, fixed = self.group_count, self.fixed
        if fixed is not None and self.is_depthwise:
            parts = depthwise_parts(fixed, self.windows)
            return ReceptiveField(mixes=False, parts=parts)
        if fixed is not None:
            parts = mixing_parts(fixed, self.windows, self.outputs, groups)
            return ReceptiveField(mixes=True, parts=parts, groups=groups, listed=True)
        parts = (Part(None, self.windows.grid()),)
        if self.is_depthwise:
            return ReceptiveField(mixes=False, parts=parts)
        return ReceptiveField(mixes=True, parts=parts, groups=groups)

    def properties(self) -> Properties:
        groups, channels = self.group_count, self.x.channels
        if self.fixed is not None:
            wide = reads_neighbours(self.fixed, self.pad_width)
            agnostic = is_channel_agnostic(self.fixed, groups, self.outputs)
        else:
            wide = self.kernel > 1 or self.pad_width > 0
            # With a group for each channel it is a depthwise convolution.
            agnostic = groups < channels or channels == 1
        return Properties(
            "neighbours" if wide else "position", channel_specific=not agnostic
        )

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        windows, groups, outputs = self.windows, self.group_count, self.outputs
        flat = x.reshape(len(x), -1, x.shape[-1])
        kernels = (
            tensors["weight"] if self.fixed is None else weight(self.fixed, outputs)
        )
        # [offset, group, input channels of it, output channels of it]
        by_offset = kernels.reshape(groups, -1, self.group_channels, self.kernel**2)
        by_offset = by_offset.transpose(3, 0, 2, 1)
        result = windows.result(outputs)
        y = np.zeros((len(x), positions(result), outputs))
        for offset, (places, sources) in windows.by_offset().items():
            if self.is_depthwise:
                y[:, places] += flat[:, sources] * by_offset[offset, :, 0, 0]
                continue
            read = flat[:, sources].reshape(-1, groups, self.group_channels)
            found = read.transpose(1, 0, 2) @ by_offset[offset]
            y[:, places] += found.transpose(1, 0, 2).reshape(len(x), -1, outputs)
        if "bias" in tensors:
            y += tensors["bias"]
        return y.reshape(len(x), *result.dims)

    def linear_map(self) -> Iterator[Term]:
        if self.fixed is not None:
            yield from self._fixed_terms(self.fixed)
            return
        group_outputs = self.outputs // self.group_count
        for place, reads in enumerate(self.windows.reads()):
            for out in range(self.outputs):
                target, first = (place, out), out // group_outputs * self.group_channels
                for (offset, source), c in product(reads, range(self.group_channels)):
                    yield Term(target, (source, first + c), (out, c, offset))
                if self.has_bias:
                    yield Term(target, None, (out,))

    def _fixed_terms(self, fixed: Kernels) -> Iterator[Term]:
        group_outputs = self.outputs // self.group_count
        for kernels, outs in with_channels(fixed, self.outputs):
            for c, kernel in enumerate(kernels):
                for place, row in enumerate(coefficients(kernel, self.windows)):
                    for (source, value), out in product(row.items(), outs):
                        channel = out // group_outputs * self.group_channels + c
                        yield Term((place, out), (source, channel), None, value)
