"""A split whose classes are matched by name with those that a model was trained on."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from s2mlp_dsl.data.batch import Batch, BatchIndices, Split
from s2mlp_dsl.errors import UsageError


@dataclass(frozen=True)
class Matched:
    """`split` with other labels: entry k of `label_of` replaces label k.

    Images of a class with entry -1 do not count.
    """

    split: Split
    label_of: Tensor

    @property
    def images(self) -> int:
        return self.split.images

    @property
    def labels_N(self) -> Tensor:
        return self.label_of[self.split.labels_N]

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        for batch in self.split.batches(wanted):
            labels_B = self.label_of.to(batch.labels_B.device)[batch.labels_B]
            counted_B = labels_B >= 0
            if batch.counted_B is not None:
                counted_B &= batch.counted_B
            yield replace(batch, labels_B=labels_B.clamp(min=0), counted_B=counted_B)


def match_classes(
    split: Split, found: tuple[str, ...], known: tuple[str, ...]
) -> tuple[Split, tuple[str, ...]]:
    """The split with the labels of the classes in `known`, and what does not match.

    Raises UsageError if no name is the same.
    """
    if found == known:
        return split, ()
    label_of = torch.tensor([known.index(n) if n in known else -1 for n in found])
    unknown = [name for name in found if name not in known]
    missing = [name for name in known if name not in found]
    if len(missing) == len(known):
        raise UsageError(
            f"the data have other classes, such as {_some(unknown)}; the run knows "
            f"{_some(missing)}"
        )
    notes = []
    if unknown:
        count = int((label_of[split.labels_N] < 0).sum())
        notes.append(
            f"other classes than the run's, left out with {count:,} images: "
            + _some(unknown)
        )
    if missing:
        notes.append(f"classes of the run without images here: {_some(missing)}")
    return Matched(split, label_of), tuple(notes)


def _some(names: list[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more:,} more" if more > 0 else "")
