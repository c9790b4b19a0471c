"""Axes split, reordered and merged."""

from collections.abc import Sequence

from torch import Tensor, nn


class Rearrange(nn.Module):
    """Splits the axes after the batch, reorders and merges them, as einops does.

    `split` are the sizes of all axes, `order` the place of each in the new
    order, `merge` the sizes of the axes of the result.
    """

    split: list[int]
    order: list[int]
    merge: list[int]

    def __init__(
        self, split: Sequence[int], order: Sequence[int], merge: Sequence[int]
    ) -> None:
        super().__init__()
        self.split, self.merge = list(split), list(merge)
        self.order = [0] + [1 + place for place in order]

    def forward(self, x_BX: Tensor) -> Tensor:
        batch = [x_BX.shape[0]]
        ordered_BX = x_BX.reshape(batch + self.split).permute(self.order)
        return ordered_BX.reshape(batch + self.merge)

    def extra_repr(self) -> str:
        return f"split={self.split}, order={self.order}, merge={self.merge}"
