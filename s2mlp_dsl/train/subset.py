"""Training on a share of the training images: which ones, and in what order."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from s2mlp_dsl.train.data import Batch, Data, Split
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.order import Request
from s2mlp_dsl.train.seeds import derive, permutation


@dataclass(frozen=True)
class Subset:
    """Some images of a split, in an epoch that is as long as the split's.

    `chosen` are their numbers, int64 [K]. Number i of an epoch is the image
    chosen[i mod K], so that each is shown N / K times, give or take one, and
    runs on different shares take the same steps. A copy is changed by random
    numbers of its own: `Request.draws` stay as they are.
    """

    whole: Split
    chosen: Tensor

    @property
    def images(self) -> int:
        """Of an epoch."""
        return self.whole.images

    @property
    def labels_N(self) -> Tensor:
        """Of an epoch's images, int64 [N]."""
        return self.whole.labels_N[self._real(torch.arange(self.images))]

    @property
    def nbytes(self) -> int:
        """What the split takes of the device's memory: all of it stays there."""
        held: int = getattr(self.whole, "nbytes", 0)
        return held

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        yield from self.whole.batches(self._renumbered(requests))

    def _renumbered(self, requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            yield replace(request, indices=self._real(request.indices))

    def _real(self, indices: Tensor) -> Tensor:
        return self.chosen[indices % len(self.chosen)]


@dataclass(frozen=True)
class Each:
    """The images that are trained on, each once: `count` of a split's numbers."""

    split: Split
    count: int

    @property
    def images(self) -> int:
        return self.count

    @property
    def labels_N(self) -> Tensor:
        return self.split.labels_N[: self.count]

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        yield from self.split.batches(requests)


def each_once(data: Data) -> Split:
    """The different images of a training set, in a fixed order."""
    return Each(data.train, data.train_images)


def on_a_share(data: Data, share: float, seed: int) -> Data:
    """The data with a share of its training images; the test stays whole.

    Raises UsageError if the share is less than one image.
    """
    if share == 1:
        return data
    count = int(share * data.train.images + 0.5)
    if count < 1:
        raise UsageError(
            f"a share of {share:g} of {data.train.images:,} training images is none"
        )
    chosen = balanced_order(data.train.labels_N, seed)[:count]
    return replace(data, train=Subset(data.train, chosen), distinct=count)


def balanced_order(labels_N: Tensor, seed: int) -> Tensor:
    """All images in an order of which every beginning is balanced, int64 [N].

    Of each class, any beginning holds its share of the images but for one, and
    the first of each class come before the second of any. So a smaller share
    lies within a larger one. Each class is in an order that the seed draws.
    """
    places: list[Tensor] = []
    members: list[Tensor] = []
    for label in sorted(set(labels_N.tolist())):
        (own,) = torch.nonzero(labels_N == label, as_tuple=True)
        members.append(own[permutation(derive("share", seed, label), len(own))])
        places.append(torch.arange(len(own), dtype=torch.float64) / len(own))
    return torch.cat(members)[torch.argsort(torch.cat(places), stable=True)]
