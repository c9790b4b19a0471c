"""Axes taken apart and put together in another order."""

from collections.abc import Sequence

from torch import Tensor, nn


class Rearrange(nn.Module):
    """Splits the axes behind the batch, orders them anew, and merges them.

    `split` are the sizes of all axes, `order` the place of each in the new
    order, `merge` the sizes of the axes that leave.
    """

    def __init__(
        self, split: Sequence[int], order: Sequence[int], merge: Sequence[int]
    ) -> None:
        super().__init__()
        self.split, self.order, self.merge = tuple(split), tuple(order), tuple(merge)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        x = x.reshape(batch, *self.split)
        x = x.permute(0, *[place + 1 for place in self.order])
        return x.reshape(batch, *self.merge)

    def extra_repr(self) -> str:
        return f"split={self.split}, order={self.order}, merge={self.merge}"
