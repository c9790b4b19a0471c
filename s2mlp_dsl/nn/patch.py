"""The patch-wise fully connected layer."""

from torch import Tensor, nn


class Patch(nn.Linear):
    """Cuts a map into size × size patches, each through one linear layer.

    [B, H, W, channels] to [B, H / size, W / size, width]. A patch is flattened
    in the order channel, row, column, as a convolution's weight is.
    """

    def __init__(self, size: int, channels: int, width: int) -> None:
        super().__init__(size * size * channels, width)
        self.size = size

    def forward(self, x_BHWC: Tensor) -> Tensor:
        batch, height, width, channels = x_BHWC.shape
        rows, columns = height // self.size, width // self.size
        patches = x_BHWC.reshape(
            batch, rows, self.size, columns, self.size, channels
        ).permute(0, 1, 3, 5, 2, 4)
        return super().forward(patches.reshape(batch, rows, columns, -1))


class FramePatch(Patch):
    """The same for each frame: [B, T, H, W, channels]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        frames = super().forward(x_BTHWC.flatten(0, 1))
        return frames.reshape(*x_BTHWC.shape[:2], *frames.shape[1:])
