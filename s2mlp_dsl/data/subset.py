"""Training on a fraction of the training images: which ones, and in what order."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from s2mlp_dsl.data.batch import Batch, BatchIndices, Data, Split
from s2mlp_dsl.data.seeds import derive, permutation
from s2mlp_dsl.errors import UsageError


@dataclass(frozen=True)
class Subset:
    """Some images of a split, in an epoch that is as long as the split's.

    `chosen` are their indices, int64 [K]. Image i of an epoch is chosen[i mod K], so
    that each is shown N / K times, give or take one, and runs on different fractions
    take the same steps. Each copy is augmented by random numbers of its own:
    `BatchIndices.keys` are unchanged.
    """

    whole: Split
    chosen: Tensor

    @property
    def images(self) -> int:
        """The length of an epoch."""
        return self.whole.images

    @property
    def labels_N(self) -> Tensor:
        """Those of an epoch's images, int64 [N]."""
        return self.whole.labels_N[self._chosen(torch.arange(self.images))]

    @property
    def nbytes(self) -> int:
        """The device memory of the whole split, which stays there."""
        size: int = getattr(self.whole, "nbytes", 0)
        return size

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        yield from self.whole.batches(self._renumbered(wanted))

    def _renumbered(self, wanted: Iterable[BatchIndices]) -> Iterator[BatchIndices]:
        for batch in wanted:
            yield replace(batch, indices=self._chosen(batch.indices))

    def _chosen(self, indices: Tensor) -> Tensor:
        return self.chosen[indices % len(self.chosen)]


@dataclass(frozen=True)
class First:
    """The first `images` images of a split, each once."""

    split: Split
    images: int

    @property
    def labels_N(self) -> Tensor:
        return self.split.labels_N[: self.images]

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        yield from self.split.batches(wanted)


def fraction_of(data: Data, fraction: float, seed: int) -> Data:
    """The data with a fraction of its training images; the test half stays whole.

    Raises UsageError if that is less than one image.
    """
    if fraction == 1:
        return data
    count = int(fraction * data.train.images + 0.5)
    if count < 1:
        raise UsageError(
            f"a fraction of {fraction:g} of {data.train.images:,} training images is "
            "less than one image"
        )
    chosen = balanced_order(data.train.labels_N, seed)[:count]
    return replace(data, train=Subset(data.train, chosen), train_images=count)


def balanced_order(labels_N: Tensor, seed: int) -> Tensor:
    """All images in an order of which every prefix is balanced, int64 [N].

    Any prefix contains each class in proportion, to within one image, and the first
    image of each class comes before the second of any. So a smaller fraction lies
    within a larger one. The seed shuffles each class.
    """
    ranks: list[Tensor] = []
    members: list[Tensor] = []
    for label in sorted(set(labels_N.tolist())):
        (own,) = torch.nonzero(labels_N == label, as_tuple=True)
        members.append(own[permutation(derive("share", seed, label), len(own))])
        ranks.append(torch.arange(len(own), dtype=torch.float64) / len(own))
    return torch.cat(members)[torch.argsort(torch.cat(ranks), stable=True)]
