"""What one position of the first map sees, after more and more iterations."""

from dataclasses import dataclass
from math import isqrt, prod
from typing import TYPE_CHECKING

from s2mlp_dsl.analysis.receptive_field import ReceptiveField, seen_after
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.figures import totals
from s2mlp_dsl.pictures.labels import (
    Text,
    add_node,
    cell,
    new_graph,
    paragraph,
    row,
    rows_of,
    table,
)
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.theme import Theme
from s2mlp_dsl.pictures.views import CannotDraw, View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program

ACROSS = 4  # grids in a row
SIDE = 150  # points of a grid's longer side, about
NARROWEST = 3  # points of a cell's side
MOST_POSITIONS = 2**12  # of a map that is drawn position by position


class ReceptiveFieldView(View):
    api = 1
    doc = (
        "what the middle of the first map sees after 1, 2, 4, … iterations, until "
        "that is everything"
    )

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        name, field = program.model.name, drawable(program)
        depths = _depths(program.model, field)
        head = paragraph(
            Text(name, 13, theme.ink, bold=True),
            Text(totals(program.analysis)[-1], 10, theme.ink),
            Text("what the marked position in the middle sees", 10, theme.quiet),
            padding=1,
        )
        grids = [f"<TD>{_grid(depth, field.grid, theme)}</TD>" for depth in depths]
        across = min(ACROSS, len(grids))
        first = row(f'<TD ALIGN="LEFT" COLSPAN="{across}">{head}</TD>')
        whole = table(first, *rows_of(grids, ACROSS), spacing=6)
        graph = new_graph(name, theme, graph="", node="shape=plain")
        add_node(graph, "receptive_field", whole, f"receptive field of {name}")
        counts = (f"after {one.iterations}: {one.seen} positions" for one in depths)
        words = f"What the position in the middle sees. {'; '.join(counts)}."
        return Picture(graph, f"receptive field of {name}", words)


@dataclass(frozen=True)
class Depth:
    """What the middle position sees after some iterations.

    `mask` has a bit per position of the first map, row by row; `least` and `most` are
    the numbers of positions that any position sees.
    """

    iterations: int
    mask: int
    least: int
    most: int

    @property
    def seen(self) -> int:
        return self.mask.bit_count()


def drawable(program: "Program") -> ReceptiveField:
    """The receptive field of a model, if it can be drawn. Raises `CannotDraw`."""
    field, name = program.analysis.receptive_field, program.model.name
    if field is None or prod(field.grid) > MOST_POSITIONS:
        raise CannotDraw(
            f"the first map of {name} is too large, its receptive field is drawn for "
            f"at most {MOST_POSITIONS:,} positions; give the model a smaller image"
        )
    if len(field.grid) != 2:
        raise CannotDraw(
            f"{name} takes clips, its receptive field is drawn for images only; "
            "`s2mlp-dsl check` prints it for clips too"
        )
    if not field.steps:
        raise CannotDraw(
            f"{name} has no stack, its receptive field is drawn after the iterations "
            "of one; draw another view"
        )
    return field


def _depths(model: Model, field: ReceptiveField) -> list[Depth]:
    """What is seen after 1, 2, 4, … iterations, until that is everything."""
    history, found = seen_after(model), []
    last = field.full or field.iterations
    for iterations in sorted({*(1 << n for n in range(last.bit_length())), last}):
        # After the last recorded step nothing changes.
        at = min(iterations, len(history)) - 1
        rows, step = history[at], field.steps[at]
        mask = rows[_middle(grid_of(len(rows), field.grid))]
        found.append(Depth(iterations, mask, step.least, step.most))
    return found


def grid_of(positions: int, grid: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a map with so many positions, scaled down from `grid`."""
    height, width = grid
    factor = max(1, isqrt(height * width // max(positions, 1)))
    height, width = height // factor, width // factor
    return (height, width) if height * width == positions else (1, positions)


def _middle(grid: tuple[int, ...]) -> int:
    height, width = grid
    return (height // 2) * width + width // 2


def _grid(depth: Depth, sides: tuple[int, ...], theme: Theme) -> str:
    """The first map with what is seen at a depth, and its figures below."""
    height, width = sides
    side = max(NARROWEST, SIDE // max(sides) - 1)
    size = f'FIXEDSIZE="TRUE" WIDTH="{side}" HEIGHT="{side}"'
    fills = [
        theme.seen if depth.mask >> position & 1 else theme.plain
        for position in range(height * width)
    ]
    fills[_middle(sides)] = theme.chosen
    cells = [f'<TD {size} BGCOLOR="{fill}"></TD>' for fill in fills]
    grid = table(*rows_of(cells, width), fill=theme.line, padding=0, spacing=1)
    least = f"{depth.least} to " if depth.least != depth.most else ""
    texts = (
        Text(f"after {depth.iterations}", 10, theme.ink, bold=True),
        Text(f"{depth.seen} of {height * width}", 9, theme.ink),
        Text(f"any position: {least}{depth.most}", 9, theme.quiet),
    )
    words = [row(cell(text)) for text in texts]
    return table(row(f'<TD ALIGN="LEFT">{grid}</TD>'), *words, padding=1)
