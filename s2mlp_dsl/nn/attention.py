"""Multi-head self-attention.

Written out: with PyTorch's fused function, an exported program that is decomposed
refuses a batch of one.
"""

from torch import Tensor, nn


class Attention(nn.Module):
    """Every position of [B, …, channels] reads every other (Vaswani et al. 2017)."""

    def __init__(self, channels: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        qkv_BPC = self.qkv(x.flatten(1, -2))
        # [3, B, heads, positions, channels of a head]
        qkv = qkv_BPC.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].transpose(2, 3) * qkv.shape[-1] ** -0.5
        y = scores.softmax(dim=-1) @ qkv[2]
        y_BPC: Tensor = self.proj(y.transpose(1, 2).flatten(2))
        return y_BPC.reshape(x.shape)

    def extra_repr(self) -> str:
        return f"heads={self.heads}"


class FrameAttention(Attention):
    """The same for each frame: [B, T, H, W, channels]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        return super().forward(x_BTHWC.flatten(0, 1)).reshape(x_BTHWC.shape)
