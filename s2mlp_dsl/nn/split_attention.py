"""Branches weighted by what all of them see."""

import torch
from torch import Tensor, nn


class SplitAttention(nn.Module):
    """A sum of branches [B, …, C], weighted per channel.

    The weights come from the sum of all branches, joined over all positions,
    through two linear layers and a softmax over the branches.
    """

    def __init__(
        self,
        branches: int,
        channels: int,
        hidden: int,
        over: str = "sum",
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.branches, self.over = branches, over
        self.squeeze = nn.Linear(channels, hidden, bias=bias)
        self.act = nn.GELU()
        self.expand = nn.Linear(hidden, branches * channels, bias=bias)

    def forward(self, *branches: Tensor) -> Tensor:
        parts = torch.stack(branches, dim=1)
        seen_BPC = parts.sum(dim=1).unsqueeze(1).flatten(1, -2)
        pooled = seen_BPC.mean(dim=1) if self.over == "mean" else seen_BPC.sum(dim=1)
        scores = self.expand(self.act(self.squeeze(pooled)))
        weights = scores.unflatten(-1, (self.branches, -1)).softmax(dim=1)
        for _ in range(parts.dim() - weights.dim()):
            weights = weights.unsqueeze(2)
        y: Tensor = (weights * parts).sum(dim=1)
        return y
