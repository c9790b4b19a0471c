"""A study: rows that differ in what is varied, each trained with several seeds.

A row is a whole model and a whole recipe. What the paper prints beside it is
data: nothing is computed from it.
"""

import hashlib
import json
from typing import Any

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.recipe.recipe import Recipe

# Settings of a recipe that its hash leaves out: a study trains with seeds of its
# own, and no result depends on how many processes decode images.
_APART = {"seed", "workers"}


class Figure(Record):
    """A printed number: as it was written, and its value."""

    text: str
    value: float


class Printed(Record):
    """What a paper prints for a row; None is what it does not print.

    `top1` and `top5` are in percent. `params` and `macs` are what the paper
    counts, which need not be all that we count.
    """

    top1: Figure | None = None
    top5: Figure | None = None
    params: Figure | None = None
    macs: Figure | None = None


class Row(Record):
    """One line of a study's table.

    `key` is the label as a folder's name, unique in the study. `case` is the
    title of the case, None where there are only varied keys; `axes` are those
    keys with their values as written. `arguments` is all that the row gives its
    model. `runs` is the key under which the row's runs are kept: its own, or
    that of an earlier row that is the same model and recipe. The seed of
    `recipe` means nothing: the study's seeds take its place.
    """

    key: str
    label: str
    case: str | None
    axes: tuple[tuple[str, str], ...]
    model_name: str
    arguments: tuple[tuple[str, str], ...]
    printed: Printed
    runs: str
    model: Model
    recipe: Recipe
    recipe_name: str


class Study(Record):
    """`study NAME { … }` with every row elaborated. `spec` is a name to show."""

    name: str
    doc: str | None
    spec: str
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]

    @property
    def distinct(self) -> tuple[Row, ...]:
        """The rows that have runs of their own."""
        return tuple(row for row in self.rows if row.runs == row.key)

    @property
    def runs(self) -> int:
        """How many trainings the study is."""
        return len(self.distinct) * len(self.seeds)


def recipe_hash(recipe: Recipe) -> str:
    """SHA-256 over what a recipe says besides its seed, as 64 digits.

    What is as it is by default does not count, so that a setting which a later
    version adds leaves the hashes of older recipes as they are.
    """
    said = {k: v for k, v in _said(recipe).items() if k not in _APART}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _said(record: Record) -> dict[str, Any]:
    """The fields of a record that differ from their defaults, as plain data."""
    fields = type(record).model_fields
    values = {name: getattr(record, name) for name in fields}
    return {
        name: _plain(value)
        for name, value in values.items()
        if name == "kind" or value != fields[name].default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return _said(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
