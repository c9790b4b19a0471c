"""The pictures of a model, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from graphviz import Digraph

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model, Shift
from s2mlp_dsl.pictures.diagram import describe, draw_block, draw_model
from s2mlp_dsl.pictures.dot_shift import arrows
from s2mlp_dsl.pictures.graph_view import Traced, draw_graph
from s2mlp_dsl.pictures.receptive_field_view import (
    draw_receptive_field,
    receptive_field_of,
)
from s2mlp_dsl.pictures.render import FORMS, Form, render
from s2mlp_dsl.pictures.shift_view import draw_shifts
from s2mlp_dsl.pictures.shifts import Drawn, share, shifts_in
from s2mlp_dsl.pictures.theme import THEMES, ThemeName
from s2mlp_dsl.pictures.uses import uses_of

View = Literal["model", "block", "shift", "receptive-field"]
VIEWS: tuple[View, ...] = get_args(View)


class NoBlock(Exception):
    """The model has no such block, or it is not said which of them."""

    exit_code = 2


@dataclass(frozen=True)
class Picture:
    """A drawing with the words for who cannot see it."""

    graph: Digraph
    title: str
    description: str

    def render(self, form: Form) -> bytes:
        """In one of the formats. Raises `NoRenderer`."""
        return render(self.graph, form, self.title, self.description)

    def save(self, path: str | Path) -> Path:
        """Write a file whose suffix is the format. Raises `ValueError`."""
        path = Path(path)
        rendered = self.render(form_of(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rendered)
        return path

    def __repr__(self) -> str:
        return f"Picture({self.title!r})"

    def _repr_svg_(self) -> str:
        """What a notebook shows: an SVG without the prolog of a file."""
        svg = self.render("svg").decode()
        return svg[svg.index("<svg") :]


def form_of(path: Path) -> Form:
    """The format that a suffix names. Raises `ValueError` where none is."""
    suffix = path.suffix.lower().removeprefix(".")
    known: dict[str, Form] = {form: form for form in FORMS} | {"gv": "dot"}
    if suffix not in known:
        listed = ", ".join(f".{one}" for one in known)
        raise ValueError(f"{path.suffix!r} is no known suffix; there are {listed}")
    return known[suffix]


def traced(name: str, nodes: Sequence[Traced], theme: ThemeName = "light") -> Picture:
    """The picture of the torch.fx graph of a model (see graph_trace.py)."""
    words = "The lowered graph, grouped by statement."
    graph = draw_graph(name, nodes, THEMES[theme])
    return Picture(graph, f"torch.fx graph of {name}", words)


def of_shift(shift: Shift, theme: ThemeName = "light") -> Picture:
    """The grid of one shift."""
    drawn = Drawn(shift, (shift.channels,))
    graph = draw_shifts(shift.name, [drawn], THEMES[theme])
    return Picture(graph, shift.name, _in_words(drawn))


def draw(
    model: Model,
    analysis: Analysis,
    view: View = "model",
    theme: ThemeName = "light",
    block: str | None = None,
) -> Picture:
    """One view of an expanded model. Raises `NoBlock` and `NoReceptiveField`."""
    colours = THEMES[theme]
    match view:
        case "model":
            graph = draw_model(model, analysis, colours)
            return Picture(graph, model.name, describe(model, analysis))
        case "block":
            name = _chosen(model, block)
            graph = draw_block(model, analysis, name, colours)
            found = model.definitions[name]
            words = f"From {found.source} to {found.result}."
            return Picture(graph, f"{name} of {model.name}", words)
        case "shift":
            shifts = shifts_in(model)
            words = ". ".join(map(_in_words, shifts)) or "No shift."
            graph = draw_shifts(model.name, shifts, colours)
            return Picture(graph, f"shifts of {model.name}", words)
        case "receptive-field":
            graph = draw_receptive_field(model, analysis, colours)
            _, found_receptive_field = receptive_field_of(model, analysis)
            seen = "; ".join(
                f"after {one.depth}: {one.mask.bit_count()} positions"
                for one in found_receptive_field
            )
            words = f"What the position in the middle sees. {seen}."
            return Picture(graph, f"receptive field of {model.name}", words)


def _chosen(model: Model, name: str | None) -> str:
    """The block of that name, or the only one that has a name."""
    used = list(uses_of(model))
    if name is not None:
        if name in used:
            return name
        raise NoBlock(f"{model.name} uses no block `{name}`; there is {_listed(used)}")
    named = [one for one in used if not model.definitions[one].inline]
    if len(named) == 1 or (not named and len(used) == 1):
        return (named or used)[0]
    if not used:
        raise NoBlock(f"{model.name} has no block; --view model shows all of it")
    raise NoBlock(
        f"{model.name} has {len(used)} blocks; choose with --block: {_listed(used)}"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in names[:12]) or "none"


def _in_words(drawn: Drawn) -> str:
    groups = ", ".join(
        f"{arrows(one)} {share(one.channels, drawn.shift)}"
        for one in drawn.shift.groups[:16]
    )
    return f"{drawn.title}: {groups}"
