"""Branches weighted by the features of all of them."""

import torch
from torch import Tensor, nn


class SplitAttention(nn.Module):
    """A sum of branches [B, …, C], weighted per channel.

    The weights come from the sum of all branches, pooled over all positions, through
    two linear layers and a softmax over the branches.
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

    def forward(self, *branches_BXC: Tensor) -> Tensor:
        x_BNXC = torch.stack(branches_BXC, dim=1)  # N branches
        x_BPC = x_BNXC.sum(dim=1).unsqueeze(1).flatten(1, -2)
        pooled_BC = x_BPC.mean(dim=1) if self.over == "mean" else x_BPC.sum(dim=1)
        scores_BC = self.expand(self.act(self.squeeze(pooled_BC)))
        weights_BNC = scores_BC.unflatten(-1, (self.branches, -1)).softmax(dim=1)
        weights_BNXC = weights_BNC
        for _ in range(x_BNXC.dim() - weights_BNC.dim()):
            weights_BNXC = weights_BNXC.unsqueeze(2)
        y_BXC: Tensor = (weights_BNXC * x_BNXC).sum(dim=1)
        return y_BXC
