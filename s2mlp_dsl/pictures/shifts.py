"""Shifts in pictures: arrows, shares, and the rows of a box that show the groups."""

import re
from fractions import Fraction

from s2mlp_dsl.ir.program import Shift, ShiftGroup
from s2mlp_dsl.pictures.labels import Text, cell, filled_cell, row, rows_of
from s2mlp_dsl.pictures.theme import Signs, Theme

# A shift may have as many groups as there are channels.
MOST_GROUPS = 49
_GAP = "\N{NO-BREAK SPACE}" * 3


def shift_rows(shift: Shift, theme: Theme) -> list[str]:
    """The groups of a shift as rows of a table, up to seven in a row.

    A group shows its arrows, with the number of steps if that is not one, its share of
    the channels and their number.
    """
    shown = shift.groups[:MOST_GROUPS]
    across = _across(len(shown))
    rows = rows_of([_group(group, shift, theme) for group in shown], across)
    if hidden := len(shift.groups) - len(shown):
        more = Text(f"… and {hidden} more groups", 8, theme.quiet)
        rows.append(row(cell(more, span=across)))
    return rows


def _across(groups: int) -> int:
    """Groups in a row: the number that fills the rows best, and the larger of two."""
    if groups <= 5:
        return groups
    most = 5 if groups <= 25 else 7
    return min(range(3, most + 1), key=lambda n: (-groups % n, -n))


def _group(group: ShiftGroup, shift: Shift, theme: Theme) -> str:
    # One run of text: renderers disagree on how wide an arrow is.
    head = f"{arrows(group)}{_GAP}{share(group.channels, shift)}"
    plural = "s" if group.channels != 1 else ""
    count = f"{group.channels:,} channel{plural}"
    fill = theme.tint(signs_of(group))
    return filled_cell(
        Text(head, 12, theme.ink), Text(count, 8, theme.quiet), fill=fill
    )


def arrows(group: ShiftGroup) -> str:
    """`→` for one step to the right, `←2 ↑1` for two left and one up."""
    moves = [
        (forward if steps > 0 else back, abs(steps))
        for steps, forward, back in (
            (group.right, "→", "←"),
            (group.down, "↓", "↑"),
            (group.later, "later ", "earlier "),
        )
        if steps
    ]
    if all(steps == 1 for _, steps in moves):
        return "".join(arrow for arrow, _ in moves).strip() or "●"
    return " ".join(f"{arrow}{steps}" for arrow, steps in moves)


def signs_of(group: ShiftGroup) -> Signs:
    """Which way a group moves along each axis."""
    right, down, later = (
        (steps > 0) - (steps < 0) for steps in (group.right, group.down, group.later)
    )
    return right, down, later


def share(channels: int, shift: Shift) -> Fraction:
    """A number of the shift's channels, as a fraction of all."""
    return Fraction(channels, shift.channels)


def edge_rule(shift: Shift) -> str:
    """`edge keep`, and whether groups interleave their channels."""
    interleaved = ", interleaved" if shift.interleaved else ""
    return f"edge {shift.edge}{interleaved}"


def moves_of(shift: Shift) -> object:
    """Equal for the same shift on any number of channels."""
    moves = tuple(
        (share(group.channels, shift), group.right, group.down, group.later)
        for group in shift.groups
    )
    # On other channels the same declaration is called cross_2.
    name = re.sub(r"_\d+$", "", shift.name)
    return name, shift.edge, shift.interleaved, moves
