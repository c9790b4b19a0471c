"""Recipes of a spec, as records that pydantic has checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.values import EnumValue, Env, Value
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.recipe import KINDS, WORDS, Dense, Recipe
from s2mlp_dsl.source import Span

SETTINGS = tuple(Recipe.model_fields)
LENGTHS = frozenset({"epochs", "steps"})
# Bare words of a recipe: what it can call, choose or leave out.
_WORDS = WORDS | frozenset(KINDS) | frozenset(get_args(Dense))


def resolve_recipe(
    declared: Declared,
    overrides: Mapping[str, tree.Expr],
    report: Report,
    study: Declared | None = None,
) -> Recipe:
    """The recipe that a declaration means, with some settings replaced.

    What replaces them sees the names of the study it stands in, else those of the
    recipe. Raises `AlreadyReported` after reporting every setting that is wrong.
    """
    declaration = declared.declaration
    assert isinstance(declaration, tree.Recipe)
    if declared.damaged:
        raise AlreadyReported
    settings = _settings(declaration, report)
    if overrides.keys() & LENGTHS:  # `steps` given here replaces `epochs` there
        settings = {key: one for key, one in settings.items() if key not in LENGTHS}
    settings = {k: one for k, one in settings.items() if k not in overrides}
    reader = _Reader(Evaluator(report), Env(declared.unit, {}))
    data = {name: reader.plain(node, (name,)) for name, node in settings.items()}
    if study is not None:
        reader.env = Env(study.unit, {})
    data |= {name: reader.plain(node, (name,)) for name, node in overrides.items()}
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        _report(error, (study or declared).declaration.name, reader, report)
        raise AlreadyReported from error
    if reader.faults:
        raise AlreadyReported
    return recipe


def _settings(declaration: tree.Recipe, report: Report) -> dict[str, tree.Expr]:
    """The value of each setting. Unknown and repeated names are reported."""
    settings: dict[str, tree.Expr] = {}
    for setting in declaration.settings:
        name = setting.name.id
        if name not in SETTINGS:
            report.add(
                codes.RECIPE_SETTING,
                setting.name.span,
                help=did_you_mean(name, SETTINGS),
            )
        elif name in settings:
            report.add(
                codes.DECLARED_TWICE, setting.name.span, help="remove one of them"
            )
        else:
            settings[name] = setting.value
    return settings


Place = tuple[str | int, ...]


@dataclass(eq=False, repr=False)
class _Reader:
    """Expressions to the plain data that pydantic takes."""

    evaluator: Evaluator
    env: Env
    spans: dict[Place, Span] = field(default_factory=dict)
    faults: set[str | int] = field(default_factory=set)  # settings with a mistake

    def plain(self, node: tree.Expr, place: Place) -> Any:
        """`adamw(lr = 1e-3)` as {"kind": "adamw", "lr": 0.001}, and so on."""
        self.spans[place] = node.span
        if isinstance(node, tree.Group):
            return self.plain(node.inner, place)
        if isinstance(node, tree.ListExpr):
            items = enumerate(node.items)
            return [self.plain(item, (*place, number)) for number, item in items]
        if isinstance(node, tree.Call) and node.name.id in KINDS:
            return self._call(node, place)
        if isinstance(node, tree.Name) and node.id in _WORDS:
            return _plain_value(EnumValue(node.id))  # a model may have the same name
        try:
            return _plain_value(self.evaluator.value(node, self.env, _WORDS))
        except AlreadyReported:
            self.faults.add(place[0])
            return None

    def _call(self, node: tree.Call, place: Place) -> dict[str, Any]:
        kind = node.name.id
        fields = tuple(name for name in KINDS[kind].model_fields if name != "kind")
        data: dict[str, Any] = {"kind": kind}
        try:
            given = match_arguments(node, fields, self.evaluator.report)
        except AlreadyReported:
            self.faults.add(place[0])
            return data
        for name, argument in given.items():
            data[name] = self.plain(argument.value, (*place, name))
        return data


def _plain_value(value: Value) -> Any:
    if isinstance(value, EnumValue):
        if value == "none":
            return None
        return {"kind": str(value)} if value in KINDS else str(value)
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, Fraction):
        return float(value)
    return value


def _report(
    error: ValidationError,
    name: tree.Name,
    reader: _Reader,
    report: Report,
) -> None:
    """pydantic's findings as diagnostics, each on the value it is about.

    A location may name the member of a union on its way (`optimizer`, `adamw`,
    `lr`), which no place in the text stands for.
    """
    spans = reader.spans
    for one in error.errors():
        if not one["loc"]:  # of the recipe as a whole, such as its length
            report.add(codes.RECIPE_VALUE, name.span, _sentence(one))
            continue
        if one["loc"][0] in reader.faults:
            continue  # reported where it was read
        if one["type"] == "missing" and len(one["loc"]) == 1:
            report.add(
                codes.RECIPE_MISSING,
                name.span,
                f"`{one['loc'][0]}` is not given",
                help=f"write `{one['loc'][0]} = …`",
            )
            continue
        place: Place = ()
        for step in one["loc"]:
            if (*place, step) in spans:
                place = (*place, step)
        if not place:
            place = one["loc"][:1]
        span = spans.get(place, name.span)
        report.add(codes.RECIPE_VALUE, span, _sentence(one))


def _sentence(error: ErrorDetails) -> str:
    """pydantic speaks of Python; a spec knows numbers, words and calls."""
    message = error["msg"].removeprefix("Input ").replace("Value error, ", "")
    for theirs, ours in (
        (
            "should be a valid integer, got a number with a fractional part",
            "should be a whole number",
        ),
        ("should be a valid integer", "should be a whole number"),
        ("should be a valid number", "should be a number"),
        ("should be a valid tuple", "should be a list, as in [flip]"),
        (
            "should be a valid dictionary or object to extract fields from",
            "should be one of the recipe's words or calls",
        ),
        ("should be a valid boolean", "should be on or off"),
        ("should be False, True or 'autotune'", "should be on, off or autotune"),
    ):
        if message.startswith(theirs):
            return ours
    return message[:1].lower() + message[1:]
