"""The baseline of the compiled models: the same network, written by hand.

Plain PyTorch as a good engineer writes it from the paper (arXiv 2106.07477, figure 1
and section 4.1), with the shift as usual, a clone and four slice assignments; and the
same without a shift, which is the floor. Parameters have the names that the compiler
gives them, so that weights can be exchanged.
"""

from typing import Any

import torch
from torch import Tensor, nn

# width, depth, ratio and norm of section 4.1
SIZES: dict[str, dict[str, Any]] = {
    "s2mlp_deep": {"width": 384, "depth": 36, "ratio": 4, "affine": True},
    "s2mlp_wide": {"width": 768, "depth": 12, "ratio": 4, "affine": False},
}


def cloned_shift(x_BHWC: Tensor) -> Tensor:
    """Equation 3: right, left, down, up by one; what has no source stays."""
    y_BHWC, quarter = x_BHWC.clone(), x_BHWC.shape[-1] // 4
    right, left, down, up = (slice(n * quarter, (n + 1) * quarter) for n in range(4))
    y_BHWC[:, :, 1:, right] = x_BHWC[:, :, :-1, right]
    y_BHWC[:, :, :-1, left] = x_BHWC[:, :, 1:, left]
    y_BHWC[:, 1:, :, down] = x_BHWC[:, :-1, :, down]
    y_BHWC[:, :-1, :, up] = x_BHWC[:, 1:, :, up]
    return y_BHWC


class Affine(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x, self.weight)


class Block(nn.Module):
    def __init__(self, width: int, ratio: int, affine: bool, shifts: bool) -> None:
        super().__init__()
        norm = Affine if affine else nn.LayerNorm
        self.shifts = shifts
        self.linear1 = nn.Linear(width, width)
        self.linear2 = nn.Linear(width, width)
        self.norm1 = norm(width)
        self.linear3 = nn.Linear(width, ratio * width)
        self.linear4 = nn.Linear(ratio * width, width)
        self.norm2 = norm(width)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        y = nn.functional.gelu(self.linear1(x_BHWC))
        if self.shifts:
            y = cloned_shift(y)
        x_BHWC = x_BHWC + self.norm1(self.linear2(y))
        y = self.linear4(nn.functional.gelu(self.linear3(x_BHWC)))
        return x_BHWC + self.norm2(y)


class S2MLP(nn.Module):
    """Images [B, 3, 224, 224] to logits [B, classes]."""

    def __init__(
        self,
        width: int,
        depth: int,
        ratio: int,
        affine: bool,
        shifts: bool = True,
        classes: int = 1000,
        patch: int = 16,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, patch, patch)
        self.norm = nn.LayerNorm(width)
        self.stack = nn.Sequential(
            *(Block(width, ratio, affine, shifts) for _ in range(depth))
        )
        self.head = nn.Linear(width, classes)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        x_BHWC = self.norm(self.stem(images_BCHW).permute(0, 2, 3, 1))
        return self.head(self.stack(x_BHWC).mean((1, 2)))


def like(name: str, shifts: bool = True, **changes: Any) -> S2MLP:
    """The hand-written form of a model of `specs/`."""
    return S2MLP(**(SIZES[name] | changes), shifts=shifts)


def same_weights(net: S2MLP, compiled: nn.Module) -> S2MLP:
    """`net` with a compiled model's weights; the stem is a convolution here."""
    tensors = compiled.state_dict()
    tensors["stem.weight"] = tensors["stem.weight"].view_as(net.stem.weight)
    net.load_state_dict(tensors)
    return net
