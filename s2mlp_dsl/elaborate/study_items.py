"""The lines of a study, read one by one: what is varied, seeds, printed figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.diagnostics.catalogue import names as naming
from s2mlp_dsl.diagnostics.catalogue import studies as messages
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.recipes import LENGTHS, SETTINGS
from s2mlp_dsl.elaborate.values import Env, Value, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.inline import as_text
from s2mlp_dsl.recipe.study import Figure, Printed
from s2mlp_dsl.source import Span

OWN = ("recipe", "seeds")  # what a study says besides settings of its recipe
_SEEDS = 1_000  # of one row
_PRINTED = tuple(Printed.model_fields)
_HUNDRED, _MOST = 100, 10**30  # percent; parameters or MACs


@dataclass(frozen=True, slots=True)
class Axis:
    """A varied key and its values, each with how a table shows it."""

    vary: tree.Vary
    values: tuple[tuple[tree.Expr, str], ...]

    @property
    def key(self) -> str:
        return self.vary.name.id


@dataclass(eq=False, repr=False)
class Items:
    """The lines of a study by what they are."""

    recipe: tree.Setting | None
    seeds: tree.Setting | None
    settings: dict[str, tree.Setting]
    axes: list[Axis]
    cases: list[tree.Case]
    given: tuple[tree.Argument, ...] = ()  # to every model

    def override(self, settings: Mapping[str, tree.Expr]) -> None:
        """Give settings of the recipe, and parameters of all models, other values."""
        for key, node in settings.items():
            name = tree.Name(node.span, key)
            if key in SETTINGS:
                for other in LENGTHS if key in LENGTHS else ():
                    self.settings.pop(other, None)
                self.settings[key] = tree.Setting(node.span, name, node)
            else:
                self.given += (tree.Argument(node.span, name, node),)


def read_items(study: tree.Study, env: Env, evaluator: Evaluator) -> Items:
    """The lines of a study. Raises `AlreadyReported` for what is wrong."""
    report = evaluator.report
    settings: dict[str, tree.Setting] = {}
    varies: dict[str, tree.Vary] = {}
    faults = False
    for item in study.items:
        if isinstance(item, tree.Case):
            continue
        name, known = item.name.id, varies if isinstance(item, tree.Vary) else settings
        if name in known:
            first = known[name].name.span
            report.add(naming.SET_AGAIN, item.name.span, related=first)
            faults = True
        elif isinstance(item, tree.Vary):
            varies[name] = item
        elif name == "seed":
            report.add(messages.SEED_OF_A_STUDY, item.name.span, fix="seeds")
            faults = True
        elif name not in (*OWN, *SETTINGS):
            help = did_you_mean(name, (*OWN, *SETTINGS))
            report.add(messages.UNKNOWN_STUDY_SETTING, item.name.span, help=help)
            faults = True
        else:
            settings[name] = item
    axes = []
    for vary in varies.values():
        try:
            axes.append(Axis(vary, _values(vary, env, evaluator)))
        except AlreadyReported:
            faults = True
    if faults:
        raise AlreadyReported
    recipe, seeds = (settings.pop(name, None) for name in OWN)
    cases = [item for item in study.items if isinstance(item, tree.Case)]
    return Items(recipe, seeds, settings, axes, cases)


def _values(
    vary: tree.Vary, env: Env, evaluator: Evaluator
) -> tuple[tuple[tree.Expr, str], ...]:
    """The values of a key: the items of a list, or of what evaluates to one."""
    node = vary.values
    if isinstance(node, tree.ListExpr):
        # Its items may be calls that only a recipe knows, such as `adamw(…)`.
        items = [(item, as_text(item)) for item in node.items]
    else:
        value = evaluator.value(node, env)
        if not isinstance(value, tuple):
            raise evaluator.report.add(
                messages.SINGLE_VALUE, node.span, value=show(value), text=as_text(node)
            )
        items = [
            (tree.Index(node.span, node, tree.Number(node.span, str(i))), show(one))
            for i, one in enumerate(value)
        ]
    if not items:
        raise evaluator.report.add(messages.NO_VALUES, node.span)
    seen: dict[str, Span] = {}
    for item, text in items:
        if text in seen:
            raise evaluator.report.add(messages.VALUE_TWICE, item.span, value=text)
        seen[text] = item.span
    return tuple(items)


def read_seeds(
    setting: tree.Setting | None, env: Env, evaluator: Evaluator
) -> tuple[int, ...]:
    """`seeds = 3` is 0, 1 and 2; a list says which. Without, there is seed 0."""
    if setting is None:
        return (0,)
    node = setting.value
    value = evaluator.value(node, env)
    if _is_count(value) and 1 <= value <= _SEEDS:
        return tuple(range(value))
    if isinstance(value, tuple) and 1 <= len(value) <= _SEEDS:
        seeds = [n for n in value if _is_count(n) and 0 <= n < 2**63]
        if len(set(seeds)) == len(value):
            return tuple(seeds)
    raise evaluator.report.add(
        messages.NO_SEEDS, node.span, value=show(value), limit=_SEEDS
    )


def _is_count(value: Value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def read_printed(case: tree.Case, env: Env, evaluator: Evaluator) -> Printed:
    """`printed [87.1, 97.1, 43M, 8.5G]`: top-1, top-5, parameters, MACs."""
    if case.printed is None:
        return Printed()
    nodes = case.printed.items
    if not 1 <= len(nodes) <= len(_PRINTED):
        raise evaluator.report.add(
            messages.PRINTED_COUNT, case.printed.span, count=len(nodes)
        )
    figures: dict[str, Figure | None] = {}
    for name, node in zip(_PRINTED, nodes, strict=False):
        figures[name] = _figure(name, node, env, evaluator)
    return Printed(**figures)


def _figure(
    name: str, node: tree.Expr, env: Env, evaluator: Evaluator
) -> Figure | None:
    if isinstance(node, tree.Name) and node.id == "none":
        return None
    value = evaluator.number(node, env)
    in_percent = name in ("top1", "top5")
    if in_percent and isinstance(node, tree.Number) and node.lexeme.endswith("%"):
        bare = node.lexeme.removesuffix("%")
        raise evaluator.report.add(
            messages.PRINTED_PERCENT_SIGN, node.span, number=bare, fix=bare
        )
    if not 0 <= value <= (_HUNDRED if in_percent else _MOST):
        raise evaluator.report.add(
            messages.PRINTED_ACCURACY if in_percent else messages.PRINTED_NUMBER,
            node.span,
            value=as_text(node),
            name=name,
        )
    return Figure(text=as_text(node), value=float(value))
