"""Which images make up which step: a pure function of seed and step.

Each step's batch is split over the ranks, and a rank's part into micro-batches that
fit its memory. Neither changes which images a step sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch

from s2mlp_dsl.data.batch import BatchIndices
from s2mlp_dsl.data.seeds import derive, permutation
from s2mlp_dsl.errors import UsageError


@dataclass(frozen=True)
class BatchSplit:
    """A rank's part of each batch, in micro-batches of at most `micro_batch` images."""

    rank: int = 0
    world_size: int = 1
    micro_batch: int | None = None

    def micro_batches(self, batch: int) -> list[slice]:
        """The slices of a batch that this rank handles one after the other."""
        first = self.rank * batch // self.world_size
        count = (self.rank + 1) * batch // self.world_size - first
        pieces = -(-count // (self.micro_batch or count))
        cuts = [first + piece * count // pieces for piece in range(pieces + 1)]
        return [slice(*pair) for pair in pairwise(cuts)]

    def evaluation(self, images: int, batch: int) -> Iterator[BatchIndices]:
        """Each image counted once over all ranks, for an evaluation.

        Every rank gets the same number of batches, all full: they are padded with
        the last image, which is not counted again.
        """
        size = min(-(-batch // self.world_size), self.micro_batch or batch)
        stride = size * self.world_size
        for step in range(-(-images // stride)):
            start = step * stride + self.rank * size
            indices = torch.arange(start, start + size)
            last = indices.clamp(max=images - 1)
            yield BatchIndices(0, last, last, counted=indices < images)


@dataclass(frozen=True)
class Sampler:
    """The training batches of a whole run.

    Every epoch has the same number of full batches; which images are left over at
    its end differs from epoch to epoch. The last epoch ends where the steps do.
    `repeats` is the recipe's `repeated_augmentation`.
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

    def batches(
        self, start: int, split: BatchSplit | None = None
    ) -> Iterator[BatchIndices]:
        """A rank's micro-batches of step `start` and all later steps."""
        slices = (split or BatchSplit()).micro_batches(self.batch)
        for step in range(start, self.steps):
            epoch, position = divmod(step, self.steps_per_epoch)
            indices, keys = self._batch(epoch, position)
            for part in slices:
                yield BatchIndices(epoch, indices[part], keys[part])

    def _batch(self, epoch: int, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        order = _shuffled(derive("order", self.seed, epoch), self.images)
        shown = torch.arange(position * self.batch, (position + 1) * self.batch)
        # First copies first, then second ones: mixup pairs neighbours, which
        # should not be two copies of one image.
        shown = torch.cat([shown[copy :: self.repeats] for copy in range(self.repeats)])
        indices = order[shown // self.repeats]
        return indices, indices * self.repeats + shown % self.repeats


@lru_cache(maxsize=1)
def _shuffled(seed: int, count: int) -> torch.Tensor:
    return permutation(seed, count)
