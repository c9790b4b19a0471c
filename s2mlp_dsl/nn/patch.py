"""The patch-wise fully connected layer."""

from torch import Tensor, nn


class Patch(nn.Linear):
    """Splits a map into K × K patches, each through one linear layer.

    [B, H, W, in_channels] to [B, H / K, W / K, out_channels]. A patch is flattened
    in the order channel, row, column, as a convolution's weight is.
    """

    def __init__(self, patch_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__(patch_size * patch_size * in_channels, out_channels)
        self.patch_size = patch_size

    def forward(self, x_BHWC: Tensor) -> Tensor:
        size, (batch, height, width, channels) = self.patch_size, x_BHWC.shape
        rows, columns = height // size, width // size
        x_BHWCKK = x_BHWC.reshape(batch, rows, size, columns, size, channels).permute(
            0, 1, 3, 5, 2, 4
        )
        return super().forward(x_BHWCKK.reshape(batch, rows, columns, -1))


class FramePatch(Patch):
    """The same for each frame: [B, T, H, W, C]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        y_BHWC = super().forward(x_BTHWC.flatten(0, 1))
        return y_BHWC.reshape(*x_BTHWC.shape[:2], *y_BHWC.shape[1:])
