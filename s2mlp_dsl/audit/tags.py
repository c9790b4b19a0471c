"""Maps of unique numbers, and where code takes each of them.

A layout is the order of a map's axes, such as BHWC or BTCHW. Tables are kept in
one order whatever the layout: batch, time if there is, height, width, channels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Table = NDArray[np.int64]
Code = Callable[[Tensor], Any]

ZERO, OTHER = -1, -2  # nothing came from the map; a value that is none of its
ORDER = "BTHWC"
LAYOUTS = ("BHWC", "BCHW", "BTHWC", "BTCHW", "BCTHW")


@dataclass(frozen=True)
class Size:
    """How large the map is that is tried."""

    height: int
    width: int
    channels: int
    time: int = 4
    batch: int = 2

    def along(self, axis: str) -> int:
        return {
            "B": self.batch,
            "T": self.time,
            "H": self.height,
            "W": self.width,
            "C": self.channels,
        }[axis]


class NoMap(Exception):
    """The code raises, or does not return a map of the size that it was given."""


@dataclass(frozen=True)
class Seen:
    """Where each entry comes from, and what else the code did.

    `gradient` says what is wrong with the gradient, None if it is that of `table`.
    """

    table: Table
    overwrites: bool
    gradient: str | None


def see(code: Code, layout: str, size: Size) -> Seen:
    """Send two maps of tags through the code, and a gradient back.

    The second map has other numbers, all negative: what looks like a movement
    must not depend on the values. Raises `NoMap`.
    """
    count = int(np.prod([size.along(axis) for axis in layout]))
    first = np.arange(1, count + 1)
    second = -np.random.default_rng(0).permutation(count) - 1
    table, overwrites = _table(code, layout, size, first)
    again, _ = _table(code, layout, size, second)
    table = np.where(table == again, table, OTHER)
    problem = None if (table == OTHER).any() else _gradient(code, layout, size, table)
    return Seen(table, overwrites, problem)


def _table(
    code: Code, layout: str, size: Size, tags: NDArray[np.int64]
) -> tuple[Table, bool]:
    x = _laid_out(tags, layout, size)
    given = x.clone()
    y = _called(code, given)
    found = _canonical(y, layout)
    place = {int(tag): number for number, tag in enumerate(tags)}
    place[0] = ZERO
    sources = [
        place.get(int(value), OTHER) if value == int(value) else OTHER
        for value in np.nan_to_num(found.flatten(), nan=0.5, posinf=0.5, neginf=0.5)
    ]
    table = np.array(sources, dtype=np.int64).reshape(found.shape)
    return table, not torch.equal(given, x)


def _gradient(code: Code, layout: str, size: Size, table: Table) -> str | None:
    """Whether gradients return the way the values came, also after a ReLU."""
    coming = np.arange(1, table.size + 1)
    wanted = np.zeros(table.size)
    moved = table.flatten() >= 0
    np.add.at(wanted, table.flatten()[moved], coming[moved])
    for before in (torch.clone, torch.relu):
        leaf = _laid_out(np.arange(1, table.size + 1), layout, size).requires_grad_()
        try:
            back = _laid_out(coming, layout, size)
            (found,) = torch.autograd.grad(_called(code, before(leaf)), leaf, back)
        except RuntimeError as error:
            after = " after a ReLU" if before is torch.relu else ""
            return f"backward raises{after}: {str(error).splitlines()[0][:100]}"
        wrong = int((_canonical(found, layout).flatten() != wanted).sum())
        if wrong:
            return f"{wrong} of {table.size} gradients are of another movement"
    return None


def _laid_out(tags: NDArray[np.int64], layout: str, size: Size) -> Tensor:
    order = [axis for axis in ORDER if axis in layout]
    canonical = torch.from_numpy(tags.astype(np.float32))
    canonical = canonical.reshape([size.along(axis) for axis in order])
    return canonical.permute([order.index(axis) for axis in layout]).contiguous()


def _canonical(y: Tensor, layout: str) -> NDArray[Any]:
    order = [axis for axis in ORDER if axis in layout]
    found: NDArray[Any] = (
        y.detach().permute([layout.index(axis) for axis in order]).numpy()
    )
    return found


def _called(code: Code, x: Tensor) -> Tensor:
    size = x.shape
    try:
        y = code(x)
    except Exception as error:  # it is not our code: anything may be raised
        line = (str(error).splitlines() or [""])[0]
        raise NoMap(f"raises {type(error).__name__}: {line[:120]}") from error
    if not isinstance(y, Tensor):
        raise NoMap(f"returns {type(y).__name__}, not a tensor")
    if y.shape != size:
        raise NoMap(f"returns {tuple(y.shape)} for a map of {tuple(size)}")
    return y
