"""Norms of PyTorch that expect channels second, for channels last."""

from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.nn.frames import OfFrames


class BatchNorm(nn.BatchNorm1d):
    """Statistics per channel: of the batch in training, running ones in evaluation.

    [B, …, C]; every position is a sample.
    """

    def forward(self, x_BXC: Tensor) -> Tensor:
        count, momentum = self.num_batches_tracked, self.momentum
        assert momentum is not None
        if self.training and count is not None:
            count.add_(1)
        y_PC = F.batch_norm(
            x_BXC.reshape(-1, self.num_features),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            momentum,
            self.eps,
        )
        return y_PC.reshape(x_BXC.shape)


class GroupNorm(nn.GroupNorm):
    """Statistics over all positions and the channels of a group: [B, …, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        x_BCP = x_BXC.unsqueeze(1).flatten(1, -2).transpose(1, 2)
        y_BCP = F.group_norm(x_BCP, self.num_groups, self.weight, self.bias, self.eps)
        return y_BCP.transpose(1, 2).reshape(x_BXC.shape)


class FrameGroupNorm(OfFrames, GroupNorm):
    """The same for each frame: [B, T, H, W, C]."""
