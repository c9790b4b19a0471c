"""One block of a model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.blocks import Use, uses_of
from s2mlp_dsl.pictures.figures import Costs
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.statements import draw_statements
from s2mlp_dsl.pictures.theme import Theme
from s2mlp_dsl.pictures.views import CannotDraw, View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program

MOST_LISTED = 12


class BlockView(View):
    api = 1
    doc = "the inside of one block, with the figures of one use"
    options: ClassVar[Mapping[str, str]] = {"block": "Block to draw with --view block."}

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        model, analysis = program.model, program.analysis
        use = _chosen(model, options.get("block"))
        block = model.definitions[use.block]
        figures = Costs(analysis).brief([use.path], use.times)
        caption = [
            f"{block.source} in, {block.result} out; {use.count:,} of it in the model",
            f"{figures} each",
        ]
        graph = draw_statements(model, analysis, theme, caption, use)
        words = f"From {block.source} to {block.result}."
        return Picture(graph, f"{block.name} of {model.name}", words)


def _chosen(model: Model, name: str | None) -> Use:
    """The block of that name, or the only one that has a name."""
    uses = uses_of(model)
    if not uses:
        raise CannotDraw(f"{model.name} has no block; use `--view model`")
    listed = ", ".join(f"`{block}`" for block in list(uses)[:MOST_LISTED])
    listed += f" and {len(uses) - MOST_LISTED} more" if len(uses) > MOST_LISTED else ""
    if name is not None:
        if name not in uses:
            raise CannotDraw(f"{model.name} has no block `{name}`; it has {listed}")
        return uses[name]
    named = [block for block in uses if not model.definitions[block].inline]
    if len(named) == 1 or (not named and len(uses) == 1):
        return uses[(named or list(uses))[0]]
    raise CannotDraw(
        f"{model.name} has {len(uses)} blocks; choose one with `--block`: {listed}"
    )
