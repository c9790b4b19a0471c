"""Shifts as the paper's figure 2 draws them: a grid, and arrows out of its middle."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphviz import Digraph, escape

from s2mlp_dsl.ir.program import Model, Shift, ShiftGroup
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.pictures.labels import (
    Text,
    add_node,
    label,
    new_graph,
    paragraph,
    row,
    table,
)
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.shifts import arrows, edge_rule, moves_of, share, signs_of
from s2mlp_dsl.pictures.theme import LIGHT, Theme
from s2mlp_dsl.pictures.views import View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program

CELL, GAP = 46, 30  # points
TITLE_LINE, LINE = 16, 8  # points that a line above a grid takes, and half of one
ACROSS = 3  # grids in a row
FARTHEST = 4  # steps from the middle that a grid shows
# With more arrows than this a grid is a knot; shares and colours say the same.
MOST_ARROWS = 9
MOST_SHIFTS = 12
MOST_LISTED = 4
MOST_DESCRIBED = 16
POINTS_PER_INCH = 72


class ShiftView(View):
    api = 1
    doc = (
        "a grid per distinct shift: arrows show where channel groups move, numbers "
        "their shares"
    )

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        name, grids = program.model.name, _grids_of(program.model)
        words = ". ".join(grid.in_words for grid in grids) or "No shift."
        return Picture(_draw(name, grids, theme), f"shifts of {name}", words)


def draw_shift(shift: Shift, theme: Theme = LIGHT) -> Picture:
    """The grid of one shift."""
    grid = Grid(shift, (shift.channels,))
    return Picture(_draw(shift.name, [grid], theme), shift.name, grid.in_words)


@dataclass(frozen=True)
class Grid:
    """What is drawn of a shift that a model uses on maps of so many `channels`."""

    shift: Shift
    channels: tuple[int, ...]

    @property
    def steps(self) -> tuple[int, int]:
        """Steps from the middle to the border, right and down."""
        moves = [(abs(group.right), abs(group.down)) for group in self.shift.groups]
        near = [(1, 1), *(move for move in moves if max(move) <= FARTHEST)]
        return max(right for right, _ in near), max(down for _, down in near)

    @property
    def places(self) -> dict[tuple[int, int], list[ShiftGroup]]:
        """The groups that the grid shows, by their steps right and down."""
        found: defaultdict[tuple[int, int], list[ShiftGroup]] = defaultdict(list)
        for group in self.shift.groups:
            # The grid is one frame: what moves in time is listed beside it.
            if max(abs(group.right), abs(group.down)) <= FARTHEST and not group.later:
                found[group.right, group.down].append(group)
        return dict(found)

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in points."""
        right, down = self.steps
        return (2 * right + 1) * CELL, (2 * down + 1) * CELL

    def head(self, theme: Theme) -> list[Text]:
        """The lines above: the title, the channels, and what the grid cannot show."""
        counts = ", ".join(f"{channels:,}" for channels in self.channels)
        notes = [f"{counts} channels in {len(self.shift.groups)} groups"]
        shown = [group for groups in self.places.values() for group in groups]
        hidden = [group for group in self.shift.groups if group not in shown]
        farther = [group for group in hidden if not group.later]
        later = [group for group in hidden if group.later]
        notes += [f"farther: {self._listed(farther)}"] if farther else []
        notes += [f"in time: {self._listed(later)}"] if later else []
        title = Text(self._title, 11, theme.ink, bold=True)
        return [title, *(Text(note, 9, theme.quiet) for note in notes)]

    @property
    def in_words(self) -> str:
        groups = self.shift.groups[:MOST_DESCRIBED]
        return f"{self._title}: {', '.join(map(self._described, groups))}"

    @property
    def _title(self) -> str:
        return f"{self.shift.name}, {edge_rule(self.shift)}"

    def _listed(self, groups: Sequence[ShiftGroup]) -> str:
        described = [*map(self._described, groups[:MOST_LISTED])]
        return ", ".join(described + ["…"] * (len(groups) > MOST_LISTED))

    def _described(self, group: ShiftGroup) -> str:
        """`→9 1/2`."""
        return f"{arrows(group)} {share(group.channels, self.shift)}"


def _grids_of(model: Model) -> list[Grid]:
    """The distinct shifts of a model, in order, whatever their channels."""
    found: defaultdict[object, list[Shift]] = defaultdict(list)
    for op in ops_in(model):
        for _, value in op.args:
            if isinstance(value, Shift) and value.groups:
                found[moves_of(value)].append(value)
    return [
        Grid(same[0], tuple(dict.fromkeys(shift.channels for shift in same)))
        for same in found.values()
    ]


def _draw(name: str, grids: Sequence[Grid], theme: Theme) -> Digraph:
    """Grids in rows.

    Every cell is a node at a computed place (layout `neato`), so that arrows can cross
    cells.
    """
    graph = new_graph(
        name,
        theme,
        graph="layout=neato outputorder=nodesfirst",
        node="fontsize=11 penwidth=0.8",
    )
    y = 0.0
    shown = list(enumerate(grids[:MOST_SHIFTS], start=1))
    for start in range(0, len(shown), ACROSS):
        x, height = 0.0, 0
        for number, grid in shown[start : start + ACROSS]:
            head = grid.head(theme)
            width = max(grid.sides[0], *(text.width + 8 for text in head))
            _add_text(graph, f"shift{number}", (x, y), width, head)
            head_height = TITLE_LINE * len(head)
            _add_grid(graph, theme, f"shift{number}", grid, (x, y - head_height))
            x += width + GAP
            height = max(height, grid.sides[1] + head_height)
        y -= height + GAP
    hidden = len(grids) - MOST_SHIFTS
    rest = f"… and {hidden} more shifts" if hidden > 0 else ""
    if words := rest if grids else "no shift in this model":
        text = Text(words, 10, theme.ink)
        _add_text(graph, "rest", (0, y), text.width + 8, [text])
    return graph


def _add_grid(
    graph: Digraph, theme: Theme, name: str, grid: Grid, corner: tuple[float, float]
) -> None:
    """The cells and arrows of a grid; `corner` is the upper left one, y points up."""
    (left, top), (far, deep), places = corner, grid.steps, grid.places
    for down in range(-deep, deep + 1):
        for right in range(-far, far + 1):
            x, y = left + (right + far + 0.5) * CELL, top - (down + deep + 0.5) * CELL
            groups = places.get((right, down), [])
            _add_cell(graph, theme, f"{name}.{right}.{down}", grid, groups, _pos(x, y))
    moving = [place for place in places if place != (0, 0)]
    if len(moving) > MOST_ARROWS:
        return
    for right, down in moving:
        group = places[right, down][0]
        graph.edge(
            f"{name}.0.0",
            f"{name}.{right}.{down}",
            headclip="false",
            # The middle has a share of its own if some channels stay.
            tailclip=str((0, 0) in places).lower(),
            color=theme.arrow(signs_of(group)),
            penwidth="2.2",
            arrowsize="0.8",
            tooltip=escape(arrows(group)),
        )


def _add_cell(
    graph: Digraph,
    theme: Theme,
    node: str,
    grid: Grid,
    groups: Sequence[ShiftGroup],
    pos: str,
) -> None:
    """A cell with the share of the channels that move there."""
    channels = sum(group.channels for group in groups)
    text = str(share(channels, grid.shift)) if groups else ""
    inside = row(f"<TD>{_fitting(text, theme).markup}</TD>")
    moved = " and ".join(dict.fromkeys(map(arrows, groups)))
    graph.node(
        node,
        label(table(inside, padding=4)) if text else "",
        tooltip=escape(f"{moved} {text}".strip() or "no group moves here"),
        pos=pos,
        shape="box",
        fixedsize="true",
        width=str(CELL / POINTS_PER_INCH),
        height=str(CELL / POINTS_PER_INCH),
        style="filled",
        fillcolor=theme.tint(signs_of(groups[0])) if groups else theme.plain,
        color=theme.line,
        # Out of the way of the arrow, which ends in the middle.
        labelloc="t" if int(node.rpartition(".")[2]) < 0 else "b",
    )


def _fitting(text: str, theme: Theme) -> Text:
    """A share, as large as a cell has room for."""
    sizes = (Text(text, size, theme.ink) for size in (11, 9, 8, 7, 6))
    fitting = (sized for sized in sizes if sized.width < CELL - 8)
    return next(fitting, Text("…", 9, theme.ink))


def _add_text(
    graph: Digraph,
    node: str,
    corner: tuple[float, float],
    width: float,
    lines: Sequence[Text],
) -> None:
    """Left-aligned lines; `corner` is the upper left one."""
    x, y = corner[0] + width / 2, corner[1] - LINE * len(lines)
    markup = paragraph(*lines, least=width, padding=1)
    add_node(graph, node, markup, shape="plain", pos=_pos(x, y))


def _pos(x: float, y: float) -> str:
    return f"{x / POINTS_PER_INCH:.4f},{y / POINTS_PER_INCH:.4f}!"
