"""Recipes of a spec, as records that pydantic has checked."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import names as naming
from s2mlp_dsl.diagnostics.catalogue import recipes as messages
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.resolve import FUNCTIONS, unknown_function
from s2mlp_dsl.elaborate.values import EnumValue, Env, Value
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.contracts import Option
from s2mlp_dsl.recipe.recipe import CALLS, words_of
from s2mlp_dsl.registry import RegistrationError, Registry
from s2mlp_dsl.source import Span

SETTINGS = tuple(Recipe.model_fields)
LENGTHS = frozenset({"epochs", "steps"})

Model = TypeVar("Model", bound=BaseModel)


def resolve_recipe(
    declared: Declared,
    overrides: Mapping[str, tree.Expr],
    report: Report,
    study: Declared | None = None,
) -> Recipe:
    """The recipe that a declaration means, with some settings replaced.

    Overrides are evaluated among the names of the study, if there is one, else of the
    recipe. Raises `AlreadyReported` after reporting every setting that is wrong.
    """
    declaration = declared.declaration
    assert isinstance(declaration, tree.Recipe)
    if declared.damaged:
        raise AlreadyReported
    own = _settings(declaration, report)
    if overrides.keys() & LENGTHS:  # `steps` given here replaces `epochs` there
        own = {key: node for key, node in own.items() if key not in LENGTHS}
    own = {key: node for key, node in own.items() if key not in overrides}
    here, there = (
        _Reader(Evaluator(report), Env(scope.unit, {}))
        for scope in (declared, study or declared)
    )
    values = here.settings(own) | there.settings(overrides)
    span = (study or declared).declaration.name.span
    return _validated(Recipe, values, own | dict(overrides), span, report)


def _settings(declaration: tree.Recipe, report: Report) -> dict[str, tree.Expr]:
    """The value of each setting. Unknown and repeated names are reported."""
    settings: dict[str, tree.Setting] = {}
    for setting in declaration.settings:
        name, span = setting.name.id, setting.name.span
        if name not in SETTINGS:
            help = did_you_mean(name, SETTINGS)
            report.add(messages.UNKNOWN_SETTING, span, help=help)
        elif name in settings:
            first = settings[name].name.span
            report.add(naming.SET_AGAIN, span, related=first)
        else:
            settings[name] = setting
    return {name: setting.value for name, setting in settings.items()}


@dataclass(eq=False, repr=False)
class _Reader:
    """Expressions to what pydantic takes. Raises `AlreadyReported`."""

    evaluator: Evaluator
    env: Env

    @property
    def report(self) -> Report:
        return self.evaluator.report

    def value(self, node: tree.Expr, field: FieldInfo, name: str = "") -> Any:
        """The value of a field; that of a setting may call what is registered."""
        registry = CALLS.get(name)
        known, words = registry if registry is not None else (), words_of(field)
        if isinstance(node, tree.Group):
            return self.value(node.inner, field, name)
        if isinstance(node, tree.ListExpr):
            nodes = {place: (one, field) for place, one in enumerate(node.items)}
            return [*self.values(nodes, name).values()]
        if isinstance(node, tree.Call):
            if node.name.id in known:
                return self._option(node, registry)
            if node.name.id not in (*FUNCTIONS, *self.env.unit.names):
                raise unknown_function(self.report, self.env.unit, node.name, [*known])
        if isinstance(node, tree.Name) and node.id in (*words, *known):
            value: Value = EnumValue(node.id)  # even where a model has the same name
        else:
            value = self.evaluator.value(node, self.env, words | {*known})
        if isinstance(value, EnumValue) and value in known:
            called = tree.Name(node.span, value)
            return self._option(tree.Call(node.span, called, ()), registry)
        return _plain(value)

    def settings(self, nodes: Mapping[str, tree.Expr]) -> dict[str, Any]:
        """The values of settings, as far as they have one."""
        found = {}
        for name, node in nodes.items():
            with suppress(AlreadyReported):
                found[name] = self.value(node, Recipe.model_fields[name], name)
        return found

    def values(
        self, nodes: Mapping[Any, tuple[tree.Expr, FieldInfo]], name: str = ""
    ) -> dict[Any, Any]:
        """Several values; the mistakes in all of them are reported."""
        found = {}
        for key, (node, field) in nodes.items():
            with suppress(AlreadyReported):
                found[key] = self.value(node, field, name)
        if len(found) < len(nodes):
            raise AlreadyReported
        return found

    def _option(self, call: tree.Call, registry: Registry[Any] | None) -> BaseModel:
        """The record of a call such as `adamw(lr = 1e-3)`."""
        assert registry is not None
        try:
            option: type[Option] = registry[call.name.id]
        except RegistrationError as error:
            raise self.report.add(
                error.message, call.name.span, **error.fields
            ) from error
        arguments = match_arguments(call, option.options(), self.report)
        nodes = {name: argument.value for name, argument in arguments.items()}
        fields = {
            name: (node, option.model_fields[name]) for name, node in nodes.items()
        }
        return _validated(option, self.values(fields), nodes, call.span, self.report)


def _plain(value: Value) -> Any:
    if isinstance(value, EnumValue):
        return None if value == "none" else str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Fraction) else value


def _validated(
    model: type[Model],
    values: Mapping[str, Any],
    nodes: Mapping[str, tree.Expr],
    span: Span,
    report: Report,
) -> Model:
    """A record of the values; each mistake is reported at the value's node.

    Nodes without a value had mistakes already. What is missing is reported at `span`.
    Raises `AlreadyReported`.
    """
    required = [key for key, f in model.model_fields.items() if f.is_required()]
    missing = [f"`{key}`" for key in required if key not in nodes]
    examples = [f"`{key} = …`" for key in required if key not in nodes]
    if model is Recipe and not LENGTHS & nodes.keys():
        missing.append("a length, `epochs` or `steps`")
        examples.append("`epochs = …`")
    if missing:
        report.add(
            messages.MISSING_SETTINGS,
            span,
            names=" and ".join(missing),
            example=", ".join(examples),
        )
    try:
        record = model.model_validate(values)
    except ValidationError as error:
        for details in error.errors():
            _report(details, nodes, values, span, report)
        raise AlreadyReported from error
    if missing or len(values) < len(nodes):
        raise AlreadyReported
    return record


def _report(
    error: ErrorDetails,
    nodes: Mapping[str, tree.Expr],
    values: Mapping[str, Any],
    span: Span,
    report: Report,
) -> None:
    """One finding of pydantic, at the value that it is about."""
    key, *place = error["loc"] or (None,)
    if key in values:
        node = nodes[str(key)]
        at = _item(node, place).span
        report.add(messages.INVALID_VALUE, at, expected=_expected(error))
    elif key is None and LENGTHS & values.keys():
        report.add(messages.NOT_ONE_LENGTH, span, problem=_expected(error))
    # What else there is has been reported: missing, or wrong where it was read.


def _item(node: tree.Expr, place: Sequence[str | int]) -> tree.Expr:
    """The item of a list at a place such as (0, 1), as far as there are lists."""
    while isinstance(node, tree.Group):
        node = node.inner
    if not (isinstance(node, tree.ListExpr) and place):
        return node
    number, *rest = place
    known = isinstance(number, int) and number < len(node.items)
    return _item(node.items[int(number)], rest) if known else node


# pydantic speaks of Python; a spec knows numbers, words and calls.
_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number greater than {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number less than {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "bool_type": "`on` or `off`",
    "bool_parsing": "`on` or `off`",
    "string_type": "a string in quotes",
    "tuple_type": "a list in brackets",
    "too_short": "a longer list",
    "too_long": "a list of at most {max_length} items",
    "missing": "a longer list",
    "literal_error": "{expected}",
    "value_error": "{error}",
    "model_type": "one of {names}",
}
_SPELLED = {"False": "`off`", "True": "`on`", "'": "`"}


def _expected(error: ErrorDetails) -> str:
    """What belongs in the place of a wrong value."""
    template, context = _EXPECTED.get(error["type"]), dict(error.get("ctx") or {})
    if template is None:
        return error["msg"].removeprefix("Input should be ")
    for theirs, ours in _SPELLED.items():
        if "expected" in context:
            context["expected"] = context["expected"].replace(theirs, ours)
    registry = CALLS.get(str(error["loc"][0])) if error["loc"] else None
    context["names"] = ", ".join(f"`{name}`" for name in registry or ())
    return template.format(**context)
