"""Branches weighted by the features of all of them."""

import torch
from torch import Tensor, nn


class SplitAttention(nn.Module):
    """A sum of N branches [B, …, C], weighted per channel.

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
        x_BNPC = torch.stack(branches_BXC, dim=1).unsqueeze(2).flatten(2, -2)
        x_BPC = x_BNPC.sum(dim=1)
        pooled_BC = x_BPC.mean(dim=1) if self.over == "mean" else x_BPC.sum(dim=1)
        scores_BC = self.expand(self.act(self.squeeze(pooled_BC)))
        weights_BNC = scores_BC.unflatten(-1, (self.branches, -1)).softmax(dim=1)
        y_BPC = (weights_BNC.unsqueeze(2) * x_BNPC).sum(dim=1)
        y_BXC: Tensor = y_BPC.reshape(branches_BXC[0].shape)
        return y_BXC
