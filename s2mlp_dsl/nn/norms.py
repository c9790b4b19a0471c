"""Norms of PyTorch that expect channels second, for channels last."""

from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """Statistics per channel: of the batch in training, running ones in evaluation.

    [B, …, C]; every position is a sample.
    """

    def forward(self, x_BXC: Tensor) -> Tensor:
        y_PC = super().forward(x_BXC.reshape(-1, x_BXC.shape[-1]))
        return y_PC.reshape(x_BXC.shape)


class GroupNorm(nn.GroupNorm):
    """Statistics over all positions and the channels of a group: [B, …, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        x_BCP = x_BXC.unsqueeze(1).flatten(1, -2).transpose(1, 2)
        return super().forward(x_BCP).transpose(1, 2).reshape(x_BXC.shape)


class FrameGroupNorm(GroupNorm):
    """The same for each frame: [B, T, H, W, C]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        return super().forward(x_BTHWC.flatten(0, 1)).reshape(x_BTHWC.shape)
