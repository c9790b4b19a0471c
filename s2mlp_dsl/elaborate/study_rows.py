"""The rows of a study: every case at every point of what is varied.

A row is read as a variant of its model: where `width = 32` is varied, the case
`tiny(depth = 2)` is the model `tiny(depth = 2, width = 32)`.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product

from s2mlp_dsl.diagnostics import AlreadyReported, Report, clean
from s2mlp_dsl.diagnostics.catalogue import studies as messages
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.elaborate.models import base_of, expand_model
from s2mlp_dsl.elaborate.recipes import LENGTHS, SETTINGS, resolve_recipe
from s2mlp_dsl.elaborate.study_items import Items, read_printed
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.inline import as_text
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.hash import function_hash
from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.study import Row, recipe_hash
from s2mlp_dsl.source import Span

_LETTERS = 48  # of a row's key, which names folders
_IMAGE = 3  # sizes of an image: channels, height, width; a clip has four

Given = tuple[tuple[str, tree.Expr], ...]  # keys with what a row gives them


def as_variant(call: tree.Call, unit: Unit) -> Declared:
    """A call of a model as a declaration of its own."""
    return Declared(tree.Variant(call.span, call.name, call), unit)


@dataclass(eq=False, repr=False)
class Rows:
    """Makes the rows of a study; what several share is made once."""

    declared: Declared
    items: Items
    recipe: Declared
    report: Report
    _recipes: dict[Given, Recipe | None] = field(default_factory=dict)
    _models: dict[tuple[int, Given], ir.Model | None] = field(default_factory=dict)
    _labels: dict[str, Span] = field(default_factory=dict)

    def all(self, cases: list[tree.Case]) -> tuple[Row, ...]:
        """The rows in order, the last axis fastest.

        Raises `AlreadyReported` after reporting all that is wrong with any.
        """
        rows: list[Row | None] = []
        for number, case in enumerate(cases):
            for point in product(*(axis.values for axis in self.items.axes)):
                row = None
                with suppress(AlreadyReported):
                    row = self._row(number, case, point)
                rows.append(row)
        made = [row for row in rows if row is not None]
        if len(made) < len(rows):
            raise AlreadyReported
        return tuple(_with_keys(made))

    def _row(
        self, number: int, case: tree.Case, point: tuple[tuple[tree.Expr, str], ...]
    ) -> Row:
        at = [
            (axis.key, *one) for axis, one in zip(self.items.axes, point, strict=True)
        ]
        title = clean(case.title.value)
        own = tuple((key, node) for key, node, _ in at if key not in SETTINGS)
        rest = tuple((key, node) for key, node, _ in at if key in SETTINGS)
        axes = tuple((key, clean(text)) for key, _, text in at)
        label = self._label(case, title, axes)
        call = _with(case.model, self.items.given, own)
        model = self._model(number, call, own)
        recipe = self._resolved(rest)
        printed = read_printed(
            case, Env(self.declared.unit, {}), Evaluator(self.report)
        )
        if model is None or recipe is None:
            raise AlreadyReported
        return Row(
            key="",
            runs="",
            label=label,
            case=title or None,
            axes=axes,
            model_name=call.name.id,
            arguments=self._arguments(call),
            printed=printed,
            model=model,
            recipe=recipe,
            recipe_name=self.recipe.declaration.name.id,
        )

    def _label(
        self, case: tree.Case, title: str, axes: tuple[tuple[str, str], ...]
    ) -> str:
        varied = [f"{key} = {text}" for key, text in axes]
        label = ", ".join([title] * bool(title) + varied) or case.model.name.id
        if label in self._labels:
            raise self.report.add(
                messages.LABEL_OF_ANOTHER_ROW,
                case.title.span,
                related=self._labels[label],
            )
        self._labels[label] = case.title.span
        return label

    def _arguments(self, call: tree.Call) -> tuple[tuple[str, str], ...]:
        """All that the row gives its model, by the names of the parameters."""
        base = base_of(as_variant(call, self.declared.unit), self.report)
        # What a declared variant of the model gives is part of the model here.
        ours = {id(argument.value) for argument in call.arguments}
        return tuple(
            (key, clean(as_text(node)))
            for key, (node, _) in base.given.items()
            if id(node) in ours
        )

    def _model(self, number: int, call: tree.Call, own: Given) -> ir.Model | None:
        """The model of a row, None if it is wrong, which is reported once."""
        if (number, own) not in self._models:
            self._models[number, own] = None
            with suppress(AlreadyReported):
                variant = as_variant(call, self.declared.unit)
                base = base_of(variant, self.report)
                model = expand_model(variant, base, {}, self.report)
                self._require_trainable(model, call)
                self._models[number, own] = model
        return self._models[number, own]

    def _require_trainable(self, model: ir.Model, call: tree.Call) -> None:
        span = call.name.span
        if len(model.input_size) != _IMAGE:
            shape = model.input.result
            raise self.report.add(messages.TAKES_CLIPS, span, shape=shape)
        if not isinstance(model.result, Vector):
            raise self.report.add(messages.ENDS_IN_MAP, span, shape=model.result)

    def _resolved(self, rest: Given) -> Recipe | None:
        """The recipe of a row, None if it is wrong, which is reported once."""
        if rest not in self._recipes:
            self._recipes[rest] = None
            # A length that is varied replaces one that the study says.
            lengths = LENGTHS if {key for key, _ in rest} & LENGTHS else frozenset()
            said = {
                key: setting.value
                for key, setting in self.items.settings.items()
                if key not in lengths
            }
            with suppress(AlreadyReported):
                self._recipes[rest] = resolve_recipe(
                    self.recipe, said | dict(rest), self.report, self.declared
                )
        return self._recipes[rest]


def _with(call: tree.Call, given: tuple[tree.Argument, ...], own: Given) -> tree.Call:
    """The call of a case with what is given to all and what is varied."""
    varied = tuple(
        tree.Argument(node.span, tree.Name(node.span, key), node) for key, node in own
    )
    # Without an argument of its own it is the varied value that led here.
    span = own[0][1].span if own and not call.arguments else call.span
    return tree.Call(span, call.name, (*call.arguments, *given, *varied))


def _with_keys(rows: list[Row]) -> Iterator[Row]:
    """The rows with their keys, and those of the rows whose runs they share."""
    taken: set[str] = set()
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        key, number = _slug(row.label), 1
        while key in taken:
            number += 1
            key = f"{_slug(row.label)}-{number}"
        taken.add(key)
        meaning = function_hash(row.model), recipe_hash(row.recipe)
        runs = first.setdefault(meaning, key)
        yield row.model_copy(update={"key": key, "runs": runs})


def _slug(label: str) -> str:
    """A label as a folder's name: `(a) depth = 3` as `a-depth-3`."""
    plain = unicodedata.normalize("NFKD", label).lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:_LETTERS].strip("-") or "row"
