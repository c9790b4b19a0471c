"""A model as a picture: IR and figures to a graph of the `graphviz` package.

The view is the one of figure 1: what happens to an image from top to bottom,
what is repeated in a frame with its ×N, its inside drawn once. Figures inside
a frame are for one of the N. An edge says its shape where the shape changes.
"""

import math

from graphviz import Digraph

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures import dot_joints as joints
from s2mlp_dsl.pictures.dot_parts import Pen
from s2mlp_dsl.pictures.drawing import Drawing
from s2mlp_dsl.pictures.figures import Costs, sample, totals
from s2mlp_dsl.pictures.place import Flow, Place
from s2mlp_dsl.pictures.sheet import Sheet
from s2mlp_dsl.pictures.theme import LIGHT, Theme
from s2mlp_dsl.pictures.uses import uses_of

# A picture that would be higher, in points, goes on in a column beside.
TALLEST = 1200


def draw_model(model: Model, analysis: Analysis, theme: Theme = LIGHT) -> Digraph:
    """The graph of an expanded model, given its figures."""
    at, costs = Place("", 1), Costs(analysis)
    # Drawn once to see what is in it, then in columns of equal height.
    trial = Sheet(costs, Pen(theme))
    Drawing(model, trial).whole(Digraph(), model.body, at, None)
    column = trial.height / math.ceil(trial.height / TALLEST)
    pen = Pen(theme, trial.names)
    graph = pen.canvas(model.name, model.doc or "", totals(analysis))
    Drawing(model, Sheet(costs, pen), column).whole(graph, model.body, at, None)
    return graph


def draw_block(
    model: Model, analysis: Analysis, name: str, theme: Theme = LIGHT
) -> Digraph:
    """The inside of one block, with the figures of one use of it."""
    block = model.definitions[name]
    found = uses_of(model)[name]
    ends = f"{block.source} in, {block.result} out; {found.count:,} of it in the model"
    costs = Costs(analysis)
    brief = [f"{costs.brief([found.path], found.times)} each"]
    # No path begins with a dot.
    at, flow = Place(f"{found.path}.", found.times), Flow(".source", block.source)
    trial = Sheet(costs, Pen(theme))
    Drawing(model, trial).whole(Digraph(), block.body, at, flow)
    pen = Pen(theme, trial.names)
    graph = pen.canvas(block.name, block.doc or "", [ends, *brief])
    joints.end(graph, ".source")
    Drawing(model, Sheet(costs, pen)).whole(graph, block.body, at, flow)
    return graph


def describe(model: Model, analysis: Analysis) -> str:
    """The picture in words: what the model is, its ends and its totals."""
    doc = " ".join((model.doc or "").split())
    ends = f"{sample(analysis).capitalize()} {model.input.result} to {model.result}."
    return " ".join([doc, ends, "; ".join(totals(analysis))]).strip()
