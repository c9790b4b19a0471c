"""The lines of a study, read one by one: what is varied, seeds, printed figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from s2mlp_dsl.diagnostics import AlreadyReported, Label, Suggestion
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
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
            report.add(
                codes.DECLARED_TWICE,
                item.name.span,
                secondary=[Label(known[name].name.span, "said here already")],
                help="remove one of them",
            )
            faults = True
        elif isinstance(item, tree.Vary):
            varies[name] = item
        elif name == "seed" or name not in (*OWN, *SETTINGS):
            report.add(
                codes.STUDY_KEY,
                item.name.span,
                help=Suggestion("write `seeds`, which are a row's runs", "seeds")
                if name == "seed"
                else did_you_mean(name, (*OWN, *SETTINGS)),
            )
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
                codes.STUDY_VALUES,
                node.span,
                f"`{show(value)}` is a single value",
                help=f"write `[{as_text(node)}]`",
            )
        items = [
            (tree.Index(node.span, node, tree.Number(node.span, str(i))), show(one))
            for i, one in enumerate(value)
        ]
    if not items:
        raise evaluator.report.add(
            codes.STUDY_VALUES, node.span, "the list is empty", help="give it values"
        )
    seen: dict[str, Span] = {}
    for item, text in items:
        if text in seen:
            raise evaluator.report.add(
                codes.STUDY_VALUES,
                item.span,
                f"`{text}` stands in the list twice",
                help="remove one of them",
            )
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
        seeds = [one for one in value if _is_count(one) and 0 <= one < 2**63]
        if len(set(seeds)) == len(value):
            return tuple(seeds)
    raise evaluator.report.add(
        codes.STUDY_SEEDS,
        node.span,
        f"`{show(value)}` is not a number from 1 to {_SEEDS:,}, nor a list of "
        "different whole numbers",
        help="write `seeds = 3` for the seeds 0, 1 and 2, or `seeds = [0, 5, 7]`",
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
            codes.STUDY_PRINTED,
            case.printed.span,
            f"it has {len(nodes)} numbers",
            help="write up to four: [top-1, top-5, parameters, MACs], the accuracies "
            "in percent; `none` where there is none",
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
    wrong = help = None
    if in_percent and isinstance(node, tree.Number) and node.lexeme.endswith("%"):
        bare = node.lexeme.removesuffix("%")
        wrong = "an accuracy is in percent already"
        help = Suggestion(f"write `{bare}`", bare)
    elif not 0 <= value <= (_HUNDRED if in_percent else _MOST):
        wrong = f"{as_text(node)} is no " + (
            "accuracy in percent" if in_percent else f"number of {name}"
        )
    if wrong is not None:
        raise evaluator.report.add(codes.STUDY_PRINTED, node.span, wrong, help=help)
    return Figure(text=as_text(node), value=float(value))
