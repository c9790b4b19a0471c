"""The distinct shifts of a model, and what a grid shows of each."""

import re
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.ir.program import Model, Shift, ShiftGroup
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.pictures.dot_shift import arrows

FARTHEST = 4  # steps from the middle that a grid shows
MOST_LISTED = 4


@dataclass(frozen=True)
class Drawn:
    """Equal shifts of a model: one of them, and the channels of each."""

    shift: Shift
    channels: tuple[int, ...]

    @property
    def title(self) -> str:
        turns = ", interleaved" if self.shift.interleaved else ""
        return f"{self.shift.name}, edge {self.shift.edge}{turns}"

    @property
    def steps(self) -> tuple[int, int]:
        """Steps from the middle to the border of the grid, right and down."""
        moves = [(abs(one.right), abs(one.down)) for one in self.shift.groups]
        near = [(1, 1), *(move for move in moves if max(move) <= FARTHEST)]
        return max(right for right, _ in near), max(down for _, down in near)

    @property
    def places(self) -> dict[tuple[int, int], list[ShiftGroup]]:
        """The groups that move right and down by so much, where it fits."""
        found: defaultdict[tuple[int, int], list[ShiftGroup]] = defaultdict(list)
        for group in self.shift.groups:
            here = max(abs(group.right), abs(group.down)) <= FARTHEST
            # The grid is one frame: what moves in time is listed beside it.
            if here and not group.later:
                found[group.right, group.down].append(group)
        return dict(found)

    @property
    def notes(self) -> list[str]:
        """Lines under the title: channels, and what the grid cannot show."""
        counts = ", ".join(f"{one:,}" for one in self.channels)
        shown = [one for groups in self.places.values() for one in groups]
        hidden = [one for one in self.shift.groups if one not in shown]
        farther = [one for one in hidden if not one.later]
        later = [one for one in self.shift.groups if one.later]
        return [
            f"{counts} channels in {len(self.shift.groups)} groups",
            *([f"farther: {self._listed(farther)}"] if farther else []),
            *([f"in time: {self._listed(later)}"] if later else []),
        ]

    def _listed(self, groups: list[ShiftGroup]) -> str:
        """`→9 1/2, ←9 1/4`, some of them."""
        said = [
            f"{arrows(one)} {share(one.channels, self.shift)}"
            for one in groups[:MOST_LISTED]
        ]
        return ", ".join([*said, *(["…"] if len(groups) > MOST_LISTED else [])])


def shifts_in(model: Model) -> list[Drawn]:
    """The distinct shifts of a model, in order, whatever their channels."""
    found: dict[object, list[Shift]] = {}
    for op in ops_in(model):
        for _, value in op.args:
            if isinstance(value, Shift) and value.groups:
                found.setdefault(moves_of(value), []).append(value)
    return [
        Drawn(same[0], tuple(dict.fromkeys(one.channels for one in same)))
        for same in found.values()
    ]


def share(channels: int, shift: Shift) -> Fraction:
    """So many of the shift's channels, as a fraction of all."""
    return Fraction(channels, shift.channels)


def moves_of(shift: Shift) -> object:
    """Equal for the same shift on any number of channels."""
    moves = tuple(
        (Fraction(one.channels, shift.channels), one.right, one.down, one.later)
        for one in shift.groups
    )
    # On other channels the same declaration is called cross_2.
    name = re.sub(r"_\d+$", "", shift.name)
    return name, shift.edge, shift.interleaved, moves
