"""The spatial shift as a depthwise convolution with fixed kernels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import with_margin


class OneHotShift(nn.Module):
    """Convolves each channel with a kernel that is 1 at the source of its group.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d.
    `groups` are (channels, right, down); the first `turns` of them are interleaved.
    A position p − d outside the map is read by the `edge`
    rule: zeros reads 0, and replicate, circular and reflect read inside the map, each
    axis by itself. keep is computed as replicate, which is the same for a single step
    along one axis.

    Values are the same as of the other implementations if all are finite (on a GPU with
    TF32 off): a zero of the kernel times an infinite neighbour is NaN.
    """

    kernel_C1KK: Tensor

    def __init__(
        self, groups: Sequence[tuple[int, int, int]], edge: str, turns: int = 0
    ) -> None:
        super().__init__()
        self.groups, self.edge, self.turns = tuple(groups), edge, turns
        most = max((group[0] for group in self.groups[:turns]), default=0)
        woven = [g for n in range(most) for g in self.groups[:turns] if n < g[0]]
        plain = [g for g in self.groups[turns:] for _ in range(g[0])]
        moves = [group[1:] for group in woven + plain]
        self.furthest = max(max(abs(right), abs(down)) for right, down in moves)
        side = 2 * self.furthest + 1
        kernel_C1KK = torch.zeros(len(moves), 1, side, side)
        for channel, (right, down) in enumerate(moves):
            kernel_C1KK[channel, 0, self.furthest - down, self.furthest - right] = 1
        self.register_buffer("kernel_C1KK", kernel_C1KK, persistent=False)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        padding = self.furthest if self.edge == "zeros" else 0
        if self.edge != "zeros":
            x_BHWC = with_margin(x_BHWC, self.furthest, self.edge)
        kernel_C1KK = self.kernel_C1KK.to(x_BHWC.dtype)
        y_BCHW = torch.conv2d(
            x_BHWC.permute(0, 3, 1, 2),
            kernel_C1KK,
            padding=padding,
            groups=len(kernel_C1KK),
        )
        return y_BCHW.permute(0, 2, 3, 1)

    def extra_repr(self) -> str:
        turns = f", turns={self.turns}" if self.turns else ""
        return f"groups={self.groups}, edge={self.edge!r}{turns}"
