"""A shift as rows of a label: per group its arrow, share and channels."""

from fractions import Fraction

from s2mlp_dsl.ir.program import Shift, ShiftGroup
from s2mlp_dsl.pictures.dot_label import Text, cell, lines, row
from s2mlp_dsl.pictures.theme import Signs, Theme

# A shift may have as many groups as there are channels.
MOST_GROUPS = 49
GAP = "\N{NO-BREAK SPACE}" * 3


def shift_rows(shift: Shift, theme: Theme) -> list[str]:
    """A table row for up to five groups, seven where there are many.

    A group shows its arrows, with the amount where it is not one step, its
    share of the channels and their number.
    """
    shown = shift.groups[:MOST_GROUPS]
    across = _across(len(shown))
    rows = [
        row(*(_group(group, shift.channels, theme) for group in line))
        for line in (shown[i : i + across] for i in range(0, len(shown), across))
    ]
    if hidden := len(shift.groups) - len(shown):
        more = Text(f"… and {hidden} more groups", 8, theme.quiet)
        rows.append(row(cell(more, span=across)))
    return rows


def _across(groups: int) -> int:
    """Groups in a row: what fills the rows best, the wider the better."""
    if groups <= 5:
        return groups
    most = 5 if groups <= 25 else 7
    return min(range(3, most + 1), key=lambda n: (-groups % n, -n))


def _group(group: ShiftGroup, channels: int, theme: Theme) -> str:
    fill = theme.tint(signs_of(group))
    # One run of text: renderers disagree on how wide an arrow is.
    head = f"{arrows(group)}{GAP}{Fraction(group.channels, channels)}"
    several = "s" if group.channels != 1 else ""
    count = f"{group.channels:,} channel{several}"
    return lines(Text(head, 12, theme.ink), Text(count, 8, theme.quiet), fill=fill)


def arrows(group: ShiftGroup) -> str:
    """`→` for one step to the right, `←2 ↑1` for two left and one up."""
    moves = [
        (arrow, abs(steps))
        for steps, forward, back in (
            (group.right, "→", "←"),
            (group.down, "↓", "↑"),
            (group.later, "later ", "earlier "),
        )
        if steps
        for arrow in [forward if steps > 0 else back]
    ]
    if all(steps == 1 for _, steps in moves):
        return "".join(arrow for arrow, _ in moves).strip() or "●"
    return " ".join(f"{arrow}{steps}" for arrow, steps in moves)


def signs_of(group: ShiftGroup) -> Signs:
    """Which way a group moves along each axis."""
    return _sign(group.right), _sign(group.down), _sign(group.later)


def _sign(steps: int) -> int:
    return (steps > 0) - (steps < 0)
