"""Multi-head self-attention.

Written without PyTorch's fused function: with it, an exported and decomposed program
refuses a batch of one.
"""

from torch import Tensor, nn

from s2mlp_dsl.nn.frames import OfFrames


class Attention(nn.Module):
    """Every position of [B, …, C] reads every other (Vaswani et al. 2017)."""

    def __init__(self, channels: int, num_heads: int, bias: bool = True) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, (channels // num_heads) ** -0.5
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x_BXC: Tensor) -> Tensor:
        qkv_BPC = self.qkv(x_BXC.flatten(1, -2))
        # N heads of D channels
        qkv_3BNPD = qkv_BPC.unflatten(-1, (3, self.num_heads, -1)).permute(
            2, 0, 3, 1, 4
        )
        q_BNPD, k_BNPD, v_BNPD = qkv_3BNPD[0], qkv_3BNPD[1], qkv_3BNPD[2]
        scores_BNPP = q_BNPD @ k_BNPD.transpose(2, 3) * self.scale
        y_BNPD = scores_BNPP.softmax(dim=-1) @ v_BNPD
        y_BPC: Tensor = self.proj(y_BNPD.transpose(1, 2).flatten(2))
        return y_BPC.reshape(x_BXC.shape)

    def extra_repr(self) -> str:
        return f"num_heads={self.num_heads}"


class FrameAttention(OfFrames, Attention):
    """The same for each frame: [B, T, H, W, C]."""
