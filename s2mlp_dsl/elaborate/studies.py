"""Studies of a spec: what they compare, held against what they may name."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Label, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.models import base_of
from s2mlp_dsl.elaborate.recipes import SETTINGS
from s2mlp_dsl.elaborate.resolve import wrong_declaration
from s2mlp_dsl.elaborate.study_items import Axis, Items, read_items, read_seeds
from s2mlp_dsl.elaborate.study_rows import Rows, as_variant
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.recipe.study import Study
from s2mlp_dsl.source import Span


def elaborate_study(
    declared: Declared, report: Report, overrides: Mapping[str, tree.Expr] | None = None
) -> Study:
    """The rows of a study, with some settings and parameters given for all.

    Raises `AlreadyReported` after reporting all that is wrong.
    """
    declaration = declared.declaration
    assert isinstance(declaration, tree.Study)
    if declared.damaged:
        raise AlreadyReported
    env, evaluator = Env(declared.unit, {}), Evaluator(report)
    items = read_items(declaration, env, evaluator)
    items.override(overrides or {})
    found = len(report.errors)
    looked = _Looked(declared, declaration, items, report)
    recipe, cases = looked.recipe(), looked.cases()
    looked.hold_axes(cases)
    looked.hold_count(len(cases))
    seeds = read_seeds(items.seeds, env, evaluator)
    if recipe is None or not seeds or len(report.errors) > found:
        raise AlreadyReported
    return Study(
        name=declaration.name.id,
        doc=declaration.doc,
        spec=Path(declared.unit.file.source.name).as_posix(),
        rows=Rows(declared, items, recipe, report).all(cases),
        seeds=seeds,
    )


@dataclass(eq=False, repr=False)
class _Looked:
    """Looks up what a study names; all that is wrong is reported."""

    declared: Declared
    study: tree.Study
    items: Items
    report: Report

    def recipe(self) -> Declared | None:
        """What every row is trained by."""
        setting, names = self.items.recipe, self.declared.unit.names
        known = {
            key: one
            for key, one in names.items()
            if isinstance(one.declaration, tree.Recipe)
        }
        if setting is None:
            self.report.add(
                codes.STUDY_MISSING,
                self.study.name.span,
                "it does not say by which recipe its rows are trained",
                help=f"write `recipe = {next(iter(known), 'NAME')}`",
            )
            return None
        node = setting.value
        word = node.id if isinstance(node, tree.Name) else ""
        if word in known:
            return known[word]
        if self.declared.unit.hides(word):
            raise AlreadyReported  # damage that is reported may have declared it
        if word in names:
            assert isinstance(node, tree.Name)
            wrong_declaration(self.report, node, names[word], "recipe")
        else:
            self.report.add(
                codes.UNKNOWN_NAME,
                node.span,
                "no recipe of this name is declared or imported",
                help=did_you_mean(word, known),
            )
        return None

    def cases(self) -> list[tree.Case]:
        """The cases, or one of the model that the study is of."""
        of, cases = self.study.of, self.items.cases
        if of is None and not cases:
            self.report.add(
                codes.STUDY_MISSING,
                self.study.name.span,
                "it does not say what is trained",
                help=f"write `study {self.study.name.id} of MODEL {{`, or cases",
            )
        if of is None:
            return cases
        bare = tree.Call(of.span, of, ())
        with suppress(
            AlreadyReported
        ):  # there must be such a model, whatever the cases
            base_of(as_variant(bare, self.declared.unit), self.report)
        return cases or [tree.Case(of.span, tree.Text(of.span, ""), bare, None)]

    def hold_axes(self, cases: list[tree.Case]) -> None:
        """Every varied key is a setting of the recipe or a parameter of each model."""
        for axis in self.items.axes:
            if axis.key in self.items.settings:
                self._conflict(axis, self.items.settings[axis.key].name.span)
        for argument in self.items.given:
            for axis in self.items.axes:
                if argument.name is not None and argument.name.id == axis.key:
                    self._conflict(axis, argument.span)
        for case in cases:
            try:
                base = base_of(as_variant(case.model, self.declared.unit), self.report)
                params = tuple(param.name.id for param in base.params)
                given = match_arguments(case.model, params, self.report)
            except AlreadyReported:
                continue
            for axis in self.items.axes:
                if axis.key == "seed" or axis.key not in (*SETTINGS, *params):
                    self._unknown(axis, case, params)
                elif axis.key in given and axis.key not in SETTINGS:
                    self._conflict(axis, given[axis.key].span)

    def _unknown(self, axis: Axis, case: tree.Case, params: tuple[str, ...]) -> None:
        if axis.key == "seed":
            label = "the seeds are repetitions of a row, not rows"
            help: str | None = "write `seeds = [0, 1, 2]`"
        else:
            label = f"neither a parameter of `{case.model.name.id}` nor a setting"
            help = did_you_mean(axis.key, (*SETTINGS, *params))
        self.report.add(codes.STUDY_KEY, axis.vary.name.span, label, help=help)

    def _conflict(self, axis: Axis, given: Span) -> None:
        self.report.add(
            codes.STUDY_CONFLICT,
            axis.vary.name.span,
            f"`{axis.key}` takes each of these values",
            secondary=[Label(given, "and is given here")],
            help="remove one of them",
        )

    def hold_count(self, cases: int) -> None:
        """Counted before any row is made. Raises `AlreadyReported`."""
        count, most = (
            cases * prod(len(a.values) for a in self.items.axes),
            limits().rows,
        )
        if count > most:
            raise self.report.add(
                codes.ROWS,
                self.study.name.span,
                f"{count:,} rows; the limit is {most:,}",
                notes=[how_to_raise("rows")],
                help="vary less at once, or make two studies of it",
            )
