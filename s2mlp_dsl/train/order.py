"""Which images make up which step: a pure function of seed and step.

A step's batch is split over the ranks, and each rank's share over parts that
fit its memory. Neither changes which images a step sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch

from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.seeds import derive, permutation


@dataclass(frozen=True)
class Request:
    """Images to be fetched: sample indices, int64 [B], in one epoch.

    `draws`, int64 [B], says which random numbers change each image: the index,
    unless an image is shown more than once an epoch. `counted`, bool [B], is
    false for those that only fill up a test's last batch; None counts all.
    """

    epoch: int
    indices: torch.Tensor
    draws: torch.Tensor
    counted: torch.Tensor | None = None


@dataclass(frozen=True)
class Share:
    """What one rank does of a batch: its part, at most `micro` images at once."""

    rank: int = 0
    size: int = 1
    micro: int | None = None

    def parts(self, batch: int) -> list[slice]:
        """The pieces of a batch that this rank handles one after the other."""
        first = self.rank * batch // self.size
        count = (self.rank + 1) * batch // self.size - first
        pieces = -(-count // (self.micro or count))
        cuts = [first + piece * count // pieces for piece in range(pieces + 1)]
        return [slice(*pair) for pair in pairwise(cuts)]

    def test_batch(self, batch: int) -> int:
        """How many images this rank tests at once."""
        return min(-(-batch // self.size), self.micro or batch)


@dataclass(frozen=True)
class Order:
    """The training batches of a whole run.

    Every epoch has the same number of full batches; the images left over at
    its end differ from epoch to epoch. The last epoch ends where the steps do.
    """

    images: int
    batch: int
    steps: int
    seed: int
    repeats: int = 1

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
    def epochs(self) -> int:
        return -(-self.steps // self.steps_per_epoch)

    def requests(self, start: int, share: Share | None = None) -> Iterator[Request]:
        """What a rank fetches for step `start` and all later steps."""
        parts = (share or Share()).parts(self.batch)
        for step in range(start, self.steps):
            epoch, at = divmod(step, self.steps_per_epoch)
            indices, draws = self._batch(epoch, at)
            for part in parts:
                yield Request(epoch, indices[part], draws[part])

    def _batch(self, epoch: int, at: int) -> tuple[torch.Tensor, torch.Tensor]:
        order = _shuffled(derive("order", self.seed, epoch), self.images)
        shown = torch.arange(at * self.batch, (at + 1) * self.batch)
        # First copies first, then second ones: mixup pairs neighbours, which
        # should not be two copies of one image.
        shown = torch.cat([shown[copy :: self.repeats] for copy in range(self.repeats)])
        indices = order[shown // self.repeats]
        return indices, indices * self.repeats + shown % self.repeats


@lru_cache(maxsize=1)
def _shuffled(seed: int, count: int) -> torch.Tensor:
    return permutation(seed, count)


def order_of(recipe: Recipe, images: int) -> Order:
    """The recipe's order over a training set. Raises UsageError if there is none."""
    order = Order(images, recipe.batch, recipe.steps or 1, recipe.seed, recipe.repeats)
    if recipe.epochs is None:
        return order
    steps = recipe.epochs * order.steps_per_epoch
    return Order(images, recipe.batch, steps, recipe.seed, recipe.repeats)


def in_order(
    images: int, batch: int, rank: int = 0, size: int = 1
) -> Iterator[Request]:
    """Each image counted once over all ranks, for a test.

    Every rank gets the same number of batches, all full: what is missing is
    filled with the last image and not counted.
    """
    for start in range(
        rank * batch, -(-images // (batch * size)) * batch * size, batch * size
    ):
        indices = torch.arange(start, start + batch)
        last = indices.clamp(max=images - 1)
        yield Request(0, last, last, counted=indices < images)
