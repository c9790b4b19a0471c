"""Which images make up which step: a pure function of seed and step."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.seeds import derive, permutation


@dataclass(frozen=True)
class Request:
    """A batch to be fetched: sample indices, int64 [B], in one epoch."""

    epoch: int
    indices: torch.Tensor


@dataclass(frozen=True)
class Order:
    """The training batches of a whole run.

    Every epoch has the same number of full batches; the images left over at
    its end differ from epoch to epoch.
    """

    images: int
    batch: int
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        if self.batch > self.images:
            raise UsageError(
                f"a batch of {self.batch:,} images cannot be filled: "
                f"the training set has {self.images:,}"
            )

    @property
    def steps_per_epoch(self) -> int:
        return self.images // self.batch

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    def requests(self, start: int) -> Iterator[Request]:
        """The batches of step `start` and of all later steps of the run."""
        first, position = divmod(start, self.steps_per_epoch)
        for epoch in range(first, self.epochs):
            order = permutation(derive("order", self.seed, epoch), self.images)
            for at in range(position, self.steps_per_epoch):
                chosen = order[at * self.batch : (at + 1) * self.batch]
                yield Request(epoch, chosen)
            position = 0


def in_order(images: int, batch: int) -> Iterator[Request]:
    """Each image once, for a test; the last batch may be shorter."""
    for start in range(0, images, batch):
        yield Request(0, torch.arange(start, min(start + batch, images)))
