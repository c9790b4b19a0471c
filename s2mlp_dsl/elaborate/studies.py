"""Studies of a spec: what they compare, with every name looked up."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import limits as bounds
from s2mlp_dsl.diagnostics.catalogue import names as naming
from s2mlp_dsl.diagnostics.catalogue import studies as messages
from s2mlp_dsl.diagnostics.suggest import did_you_mean
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
    names = _Names(declared, declaration, items, report)
    recipe, cases = names.recipe(), names.cases()
    names.check_axes(cases)
    names.check_rows(len(cases))
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
class _Names:
    """Looks up what a study names; all that is wrong is reported."""

    declared: Declared
    study: tree.Study
    items: Items
    report: Report

    def recipe(self) -> Declared | None:
        """What every row is trained by."""
        setting, names = self.items.recipe, self.declared.unit.names
        known = {
            key: declared
            for key, declared in names.items()
            if isinstance(declared.declaration, tree.Recipe)
        }
        if setting is None:
            self.report.add(
                messages.NO_RECIPE,
                self.study.name.span,
                example=next(iter(known), "NAME"),
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
            help = did_you_mean(word, known)
            self.report.add(naming.NO_RECIPE, node.span, help=help)
        return None

    def cases(self) -> list[tree.Case]:
        """The cases, or one of the model that the study is of."""
        of, cases = self.study.of, self.items.cases
        if of is None and not cases:
            name = self.study.name
            self.report.add(messages.NO_MODEL, name.span, study=name.id)
        if of is None:
            return cases
        bare = tree.Call(of.span, of, ())
        with suppress(AlreadyReported):  # the model must exist, whatever the cases
            base_of(as_variant(bare, self.declared.unit), self.report)
        return cases or [tree.Case(of.span, tree.Text(of.span, ""), bare, None)]

    def check_axes(self, cases: list[tree.Case]) -> None:
        """Report varied keys that are not a setting or a parameter of every model."""
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
        span = axis.vary.name.span
        if axis.key == "seed":
            self.report.add(messages.SEED_VARIED, span)
        else:
            model, help = (
                case.model.name.id,
                did_you_mean(axis.key, (*SETTINGS, *params)),
            )
            self.report.add(messages.UNKNOWN_AXIS, span, help=help, model=model)

    def _conflict(self, axis: Axis, given: Span) -> None:
        self.report.add(
            messages.VARIED_AND_FIXED,
            axis.vary.name.span,
            related=given,
            key=axis.key,
        )

    def check_rows(self, cases: int) -> None:
        """Count the rows before any is made. Raises `AlreadyReported` if too many."""
        count = cases * prod(len(axis.values) for axis in self.items.axes)
        if count > limits().rows:
            raise self.report.add(
                bounds.STUDY_ROWS,
                self.study.name.span,
                found=count,
                limit=limits().rows,
            )
