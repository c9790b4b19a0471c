"""Norms of PyTorch that have the channels second, for channels that stand last."""

from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """Statistics per channel: of the batch in training, kept ones in evaluation.

    [B, …, C] of any length; every position counts as one more sample.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class GroupNorm(nn.GroupNorm):
    """Statistics over all positions and the channels of a group: [B, …, C]."""

    def forward(self, x: Tensor) -> Tensor:
        x_BCP = x.unsqueeze(1).flatten(1, -2).transpose(1, 2)
        return super().forward(x_BCP).transpose(1, 2).reshape(x.shape)


class FrameGroupNorm(GroupNorm):
    """The same for each frame: [B, T, H, W, C]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        return super().forward(x_BTHWC.flatten(0, 1)).reshape(x_BTHWC.shape)
