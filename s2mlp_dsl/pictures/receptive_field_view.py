"""Reach as pictures of the first map: what one position sees, deeper and deeper."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt, prod

from graphviz import Digraph, escape

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.analysis.receptive_field import ReceptiveField, seen_after
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.dot_label import FONT, Text, cell, label, row, table
from s2mlp_dsl.pictures.figures import totals
from s2mlp_dsl.pictures.theme import Theme

ACROSS = 4  # grids in a row
SIDE = 150  # points of a grid's longer side, about
NARROWEST = 3
MOST_PLACES = 2**12  # of a map that is drawn place by place


class NoReceptiveField(Exception):
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


def receptive_field_of(
    model: Model, analysis: Analysis
) -> tuple[ReceptiveField, list[Seen]]:
    """The receptive field after 1, 2, 4, … iterations, until full or at the end."""
    receptive_field = analysis.receptive_field
    if receptive_field is None or prod(receptive_field.grid) > MOST_PLACES:
        raise NoReceptiveField(
            f"the first map of {model.name} is too large to draw its receptive field"
        )
    history = seen_after(model)
    if len(receptive_field.grid) != 2:
        raise NoReceptiveField(
            f"{model.name} takes clips; the receptive field is drawn of images"
        )
    if not receptive_field.steps:
        raise NoReceptiveField(
            f"{model.name} has no stack, so there is no depth to draw"
        )
    found = []
    for depth in _depths(receptive_field):
        # What comes after the last step noted changes nothing more.
        at = min(depth, len(history)) - 1
        rows, step = history[at], receptive_field.steps[at]
        mask = rows[middle(len(rows), receptive_field.grid)]
        found.append(Seen(depth, mask, step.least, step.most))
    return receptive_field, found


def _depths(receptive_field: ReceptiveField) -> list[int]:
    last = receptive_field.full or receptive_field.iterations
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


def draw_receptive_field(model: Model, analysis: Analysis, theme: Theme) -> Digraph:
    """A grid of the first map for each depth. Raises `NoReceptiveField`."""
    receptive_field, found = receptive_field_of(model, analysis)
    grids = [f"<TD>{markup}</TD>" for markup in _grids(receptive_field, found, theme)]
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
    tooltip = escape(f"receptive field of {model.name}")
    graph.node("receptive_field", label(whole), tooltip=tooltip)
    return graph


def _grids(
    receptive_field: ReceptiveField, found: list[Seen], theme: Theme
) -> Iterator[str]:
    height, width = receptive_field.grid
    side = max(NARROWEST, SIDE // max(height, width) - 1)
    here = middle(height * width, receptive_field.grid)
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
