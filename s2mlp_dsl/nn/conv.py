"""Convolutions of a map, or of each frame of a clip."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import with_margin


class Conv(nn.Conv2d):
    """A convolution of [B, …, H, W, channels]; the axes before H go frame by frame.

    Edges other than zero are gathered before the convolution, which pads
    nothing itself then.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        edge: str = "zeros",
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        zeros = padding if edge == "zeros" else 0
        super().__init__(
            channels, width, kernel, stride, zeros, groups=groups, bias=bias
        )
        self.margin, self.edge = padding, edge

    def forward(self, x: Tensor) -> Tensor:
        frames = x.flatten(0, -4)
        if self.edge != "zeros":
            frames = with_margin(frames, self.margin, self.edge)
        y = super().forward(frames.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])


class Depthwise(Conv):
    """Each channel convolved with a kernel of its own."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        edge: str = "zeros",
        bias: bool = True,
        stride: int = 1,
    ) -> None:
        half = kernel // 2
        super().__init__(channels, channels, kernel, stride, half, edge, channels, bias)


class FixedConv(nn.Module):
    """A convolution with filters that are given and not learned.

    Of n filters, each serves a run of width / n; it has a kernel for each channel
    that enters its group. They are kept in single precision, move and change type
    with the module, and are not among its weights.
    """

    kernel_OIKK: Tensor

    def __init__(
        self,
        channels: int,
        width: int,
        filters: Sequence[Sequence[Sequence[Sequence[float]]]],
        stride: int = 1,
        padding: int = 0,
        edge: str = "zeros",
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.channels, self.groups = channels, groups
        self.edge, self.stride, self.margin = edge, stride, padding
        kernel_NIKK = torch.tensor(filters)
        runs = kernel_NIKK.unsqueeze(1).expand(-1, width // len(filters), -1, -1, -1)
        self.register_buffer("kernel_OIKK", runs.flatten(0, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        frames, padding = x.flatten(0, -4), self.margin
        if self.edge != "zeros":
            frames, padding = with_margin(frames, self.margin, self.edge), 0
        y = torch.conv2d(
            frames.permute(0, 3, 1, 2),
            self.kernel_OIKK.to(x.dtype),
            stride=self.stride,
            padding=padding,
            groups=self.groups,
        ).permute(0, 2, 3, 1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])

    def extra_repr(self) -> str:
        width, _, _, side = self.kernel_OIKK.shape
        return (
            f"{self.channels}, {width}, kernel={side}, stride={self.stride}, "
            f"padding={self.margin}, edge={self.edge!r}, groups={self.groups}"
        )


class FixedDepthwise(FixedConv):
    """Each channel convolved with a kernel that is given and not learned.

    Of n kernels, each serves a run of channels / n.
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
