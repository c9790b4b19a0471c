"""Reach as pictures of the first map: what one position sees, deeper and deeper."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt, prod

from graphviz import Digraph, escape

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.analysis.reach import Reach, seen_after
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.dot_label import FONT, Text, cell, label, row, table
from s2mlp_dsl.pictures.figures import totals
from s2mlp_dsl.pictures.theme import Theme

ACROSS = 4  # grids in a row
SIDE = 150  # points of a grid's longer side, about
NARROWEST = 3
MOST_PLACES = 2**12  # of a map that is drawn place by place


class NoReach(Exception):
    """The model's first map is too large, or it has no stack to count by."""

    exit_code = 2


@dataclass(frozen=True)
class Seen:
    """What the middle position sees after `depth` iterations.

    `mask` has a bit per position of the first map, row by row.
    """

    depth: int
    mask: int
    least: int
    most: int


def reach_of(model: Model, analysis: Analysis) -> tuple[Reach, list[Seen]]:
    """The reach after 1, 2, 4, … iterations, until it is full or at the end."""
    reach = analysis.reach
    if reach is None or prod(reach.grid) > MOST_PLACES:
        raise NoReach(f"the first map of {model.name} is too large to draw its reach")
    history = seen_after(model)
    if len(reach.grid) != 2:
        raise NoReach(f"{model.name} takes clips; the reach is drawn of images")
    if not reach.steps:
        raise NoReach(f"{model.name} has no stack, so there is no depth to draw")
    found = []
    for depth in _depths(reach):
        # What comes after the last step noted changes nothing more.
        at = min(depth, len(history)) - 1
        rows, step = history[at], reach.steps[at]
        mask = rows[middle(len(rows), reach.grid)]
        found.append(Seen(depth, mask, step.least, step.most))
    return reach, found


def _depths(reach: Reach) -> list[int]:
    last = reach.full or reach.iterations
    return sorted({*(1 << n for n in range(last.bit_length())), last})


def grid_of(positions: int, grid: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a map of so many positions, scaled down from `grid`."""
    height, width = grid
    factor = max(1, isqrt(height * width // max(positions, 1)))
    height, width = height // factor, width // factor
    return (height, width) if height * width == positions else (1, positions)


def middle(positions: int, grid: tuple[int, ...]) -> int:
    """The position in the middle of such a map."""
    height, width = grid_of(positions, grid)
    return (height // 2) * width + width // 2


def draw_reach(model: Model, analysis: Analysis, theme: Theme) -> Digraph:
    """A grid of the first map for each depth. Raises `NoReach`."""
    reach, found = reach_of(model, analysis)
    grids = [f"<TD>{markup}</TD>" for markup in _grids(reach, found, theme)]
    lines = [row(*grids[at : at + ACROSS]) for at in range(0, len(grids), ACROSS)]
    head = [
        Text(model.name, 13, theme.ink, bold=True),
        Text(totals(analysis)[-1], 10, theme.ink),
        Text("what the marked position in the middle sees", 10, theme.quiet),
    ]
    words = table(*(row(cell(one)) for one in head), padding=1)
    whole = table(
        row(f'<TD ALIGN="LEFT" COLSPAN="{min(ACROSS, len(grids))}">{words}</TD>'),
        *lines,
        spacing=6,
    )
    graph = Digraph(
        model.name,
        graph_attr={
            "bgcolor": theme.paper,
            "fontname": FONT,
            "tooltip": escape(model.name),
        },
        node_attr={"shape": "plain", "fontname": FONT},
    )
    graph.node("reach", label(whole), tooltip=escape(f"reach of {model.name}"))
    return graph


def _grids(reach: Reach, found: list[Seen], theme: Theme) -> Iterator[str]:
    height, width = reach.grid
    side = max(NARROWEST, SIDE // max(height, width) - 1)
    here = middle(height * width, reach.grid)
    for one in found:
        cells = [
            row(
                *(
                    _cell(one.mask, y * width + x, here, side, theme)
                    for x in range(width)
                )
            )
            for y in range(height)
        ]
        grid = table(*cells, fill=theme.line, padding=0, spacing=1)
        seen = one.mask.bit_count()
        span = f"{one.least} to {one.most}" if one.least != one.most else str(one.most)
        title = Text(f"after {one.depth}", 10, theme.ink, bold=True)
        texts = [
            Text(f"{seen} of {height * width}", 9, theme.ink),
            Text(f"any position: {span}", 9, theme.quiet),
        ]
        words = [row(cell(text)) for text in (title, *texts)]
        yield table(row(f'<TD ALIGN="LEFT">{grid}</TD>'), *words, padding=1)


def _cell(mask: int, position: int, here: int, side: int, theme: Theme) -> str:
    seen = mask >> position & 1
    fill = theme.seen if seen else theme.plain
    if position == here:
        fill = theme.chosen
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{side}" HEIGHT="{side}" BGCOLOR="{fill}"></TD>'
