"""Convolutions of a map, or of each frame of a clip."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.nn.edges import with_margin
from s2mlp_dsl.nn.frames import OfFrames


class Conv(nn.Conv2d):
    """A convolution of a map: [B, H, W, in_channels].

    With an edge rule other than zeros, the margin is gathered before the convolution,
    which then adds no padding itself.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        edge: str = "zeros",
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        zeros = padding if edge == "zeros" else 0
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            zeros,
            groups=groups,
            bias=bias,
        )
        self.margin, self.edge = padding, edge

    def forward(self, x_BHWC: Tensor) -> Tensor:
        if self.edge != "zeros":
            x_BHWC = with_margin(x_BHWC, self.margin, self.edge)
        y_BCHW = F.conv2d(
            x_BHWC.permute(0, 3, 1, 2),
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            groups=self.groups,
        )
        return y_BCHW.permute(0, 2, 3, 1)


class FrameConv(OfFrames, Conv):
    """The same for each frame: [B, T, H, W, in_channels]."""


class Depthwise(Conv):
    """Each channel convolved with a kernel of its own."""

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        edge: str = "zeros",
        bias: bool = True,
        stride: int = 1,
    ) -> None:
        half = kernel_size // 2
        super().__init__(
            channels, channels, kernel_size, stride, half, edge, channels, bias
        )


class FrameDepthwise(OfFrames, Depthwise):
    """The same for each frame: [B, T, H, W, C]."""


class FixedConv(nn.Module):
    """A convolution with given filters, which are not learned.

    Each of n filters is used for a run of out_channels / n; it has a kernel for each
    input channel of its group. Filters are stored in single precision, follow the
    module to devices and types, and are not in its state dict.
    """

    # [output channels, input channels of a group, side, side]
    kernel_OIKK: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        filters: Sequence[Sequence[Sequence[Sequence[float]]]],
        stride: int = 1,
        padding: int = 0,
        edge: str = "zeros",
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.in_channels, self.groups, self.filters = in_channels, groups, filters
        self.edge, self.stride, self.margin = edge, stride, padding
        inputs, side = len(filters[0]), len(filters[0][0])
        kernel_OIKK = torch.empty(out_channels, inputs, side, side)
        self.register_buffer("kernel_OIKK", kernel_OIKK, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Write the filters into memory that does not have them, as of `to_empty`."""
        run = len(self.kernel_OIKK) // len(self.filters)
        filters_NIKK = torch.tensor(self.filters, device=self.kernel_OIKK.device)
        self.kernel_OIKK.copy_(filters_NIKK.repeat_interleave(run, dim=0))

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        # Nothing that is loaded contains the filters, so they come with the memory.
        was_meta = self.kernel_OIKK.is_meta
        apply: Any = super()._apply
        moved = apply(fn, recurse)
        if was_meta:
            self.reset_parameters()
        return moved

    def forward(self, x_BHWC: Tensor) -> Tensor:
        padding = self.margin
        if self.edge != "zeros":
            x_BHWC, padding = with_margin(x_BHWC, self.margin, self.edge), 0
        y_BCHW = F.conv2d(
            x_BHWC.permute(0, 3, 1, 2),
            self.kernel_OIKK.to(x_BHWC.dtype),
            stride=self.stride,
            padding=padding,
            groups=self.groups,
        )
        return y_BCHW.permute(0, 2, 3, 1)

    def extra_repr(self) -> str:
        out_channels, _, _, side = self.kernel_OIKK.shape
        return (
            f"{self.in_channels}, {out_channels}, kernel_size={side}, "
            f"stride={self.stride}, "
            f"padding={self.margin}, edge={self.edge!r}, groups={self.groups}"
        )


class FrameFixedConv(OfFrames, FixedConv):
    """The same for each frame: [B, T, H, W, in_channels]."""


class FixedDepthwise(FixedConv):
    """Each channel convolved with a given kernel, which is not learned.

    Each of n kernels is used for a run of channels / n.
    """

    def __init__(
        self,
        channels: int,
        kernels: Sequence[Sequence[Sequence[float]]],
        edge: str = "zeros",
        stride: int = 1,
    ) -> None:
        half, filters = len(kernels[0]) // 2, [[kernel] for kernel in kernels]
        super().__init__(channels, channels, filters, stride, half, edge, channels)


class FrameFixedDepthwise(OfFrames, FixedDepthwise):
    """The same for each frame: [B, T, H, W, C]."""
