"""A spec: a file with everything it imports, ready to be asked for its parts."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.elaborate.files import (
    Declared,
    Unit,
    UnreadableSpec,
    load_unit,
    read_source,
)
from s2mlp_dsl.elaborate.models import (
    Base,
    base_of,
    expand_model,
    parse_overrides,
)
from s2mlp_dsl.elaborate.names import check_names
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.source import Source

if TYPE_CHECKING:
    from s2mlp_dsl.ir.study import Study


class ChoiceError(Exception):
    """The caller asked for something that the spec cannot give as asked."""


@dataclass(eq=False, repr=False)
class Spec:
    """A loaded file. Mistakes found so far, and later ones, are in `report`."""

    unit: Unit
    report: Report

    @property
    def source(self) -> Source:
        return self.unit.file.source

    @property
    def models(self) -> dict[str, Declared]:
        """Models that the file itself declares, in order."""
        return self.unit.own((tree.Model, tree.Variant))

    @property
    def recipes(self) -> dict[str, Declared]:
        """Recipes that the file itself declares, in order."""
        return self.unit.own(tree.Recipe)

    @property
    def studies(self) -> dict[str, Declared]:
        """Studies that the file itself declares, in order."""
        return self.unit.own(tree.Study)

    @cached_property
    def elaborated_studies(self) -> "tuple[Study, ...]":
        """The studies of the file but those with mistakes, which are reported."""
        if not self.studies:
            return ()
        # Most files have none, and the records of recipes take time to load.
        from s2mlp_dsl.elaborate.studies import elaborate_study

        found = []
        for declared in self.studies.values():
            with suppress(AlreadyReported):
                found.append(elaborate_study(declared, self.report))
        return tuple(found)

    def study(self, declared: Declared, settings: Mapping[str, str]) -> "Study":
        """A study with some settings and parameters given for all its rows.

        Raises `SpecError` when the spec or a setting is wrong.
        """
        from s2mlp_dsl.elaborate.studies import elaborate_study

        if "seed" in settings:
            raise ChoiceError("a study has seeds of its own: --seeds 3")
        try:
            overrides = parse_overrides(settings, self.report)
            study = elaborate_study(declared, self.report, overrides)
        except AlreadyReported:
            self.report.raise_errors()
            raise
        self.report.raise_errors()
        return study

    def claims(self, model: str) -> list[tree.Claim]:
        """What the file claims of one of its models."""
        return self._claims.get(model, [])

    @cached_property
    def _claims(self) -> dict[str, list[tree.Claim]]:
        """The claims of the file, by model."""
        claims: dict[str, list[tree.Claim]] = {}
        for declaration in self.unit.file.declarations:
            if isinstance(declaration, tree.Claim):
                claims.setdefault(declaration.model.id, []).append(declaration)
        return claims

    def choose_model(self, name: str | None) -> Declared:
        """The model of that name, or the only one. Raises `ChoiceError`.

        Where mistakes left no model to choose, it is they that are raised.
        """
        if not self.models:
            self.report.raise_errors()
        return _choose("model", self.models, self._all_models(), name)

    def choose_recipe(self, name: str | None) -> Declared:
        """The recipe of that name, or the only one. Raises `ChoiceError`."""
        known = {
            key: one
            for key, one in self.unit.names.items()
            if isinstance(one.declaration, tree.Recipe)
        }
        return _choose("recipe", self.recipes, known, name)

    def choose_study(self, name: str | None) -> Declared:
        """The study of that name, or the only one. Raises `ChoiceError`."""
        known = {
            key: one
            for key, one in self.unit.names.items()
            if isinstance(one.declaration, tree.Study)
        }
        return _choose("study", self.studies, known, name)

    def base(self, declared: Declared) -> Base:
        """The model with a body behind a variant. Raises `AlreadyReported`."""
        return base_of(declared, self.report)

    def expand(self, declared: Declared, settings: Mapping[str, str]) -> ir.Model:
        """The IR of a model with `settings` as further arguments.

        Raises `SpecError` when the spec is wrong, `ChoiceError` when a
        parameter has no value or a setting belongs to no parameter.
        """
        try:
            base = self.base(declared)
            if missing := base.open_params(settings):
                name = declared.declaration.name.id
                hints = " ".join(f"--set {one}=…" for one in missing)
                raise ChoiceError(f"`{name}` needs {_listed(missing)}: {hints}")
            model = self.expand_quietly(declared, base, settings)
        except AlreadyReported:
            self.report.raise_errors()
            raise
        self.report.raise_errors()
        return model

    def expand_quietly(
        self, declared: Declared, base: Base, settings: Mapping[str, str]
    ) -> ir.Model:
        """As `expand`, but mistakes stay in the report. Raises `AlreadyReported`."""
        self.hold_settings(base, settings)
        overrides = parse_overrides(settings, self.report)
        return expand_model(declared, base, overrides, self.report)

    def hold_settings(self, base: Base, settings: Mapping[str, str]) -> None:
        """Raise `ChoiceError` for a setting that belongs to no parameter."""
        known = [param.name.id for param in base.params]
        for key in settings:
            if key not in known:
                raise ChoiceError(
                    f"the model has no parameter `{key}`; it has {_listed(known)}"
                )

    def claims_about_nothing(self) -> list[tree.Claim]:
        """Claims whose model the file does not declare."""
        models = self.models
        return [
            claim
            for name, claims in self._claims.items()
            if name not in models and not self.unit.hides(name)
            for claim in claims
        ]

    def _all_models(self) -> dict[str, Declared]:
        return {
            name: one
            for name, one in self.unit.names.items()
            if isinstance(one.declaration, tree.Model | tree.Variant)
        }


def load(spec: "str | Path", name: str | None = None) -> Spec:
    """Read a spec from a path, or from its text if it has more than one line.

    Names are checked; models are not expanded yet. Raises `UnreadableSpec`
    where there is no such file.
    """
    if isinstance(spec, str) and "\n" in spec:
        return load_source(Source(name or "<text>", spec))
    try:
        return load_source(read_source(Path(spec), name or str(spec), Report()))
    except UnreadableSpec as error:
        if not isinstance(spec, str):
            raise
        said = "this is taken for a path, as it is one line; a text has more than one"
        found = [replace(one, notes=(*one.notes, said)) for one in error.diagnostics]
        raise UnreadableSpec(found) from error


def load_source(source: Source) -> Spec:
    """As `load`, of a text that has been read already."""
    report = Report()
    units = load_unit(source, report)
    for unit in units:
        check_names(unit, report)
    return Spec(units[0], report)


def _choose(
    kind: str,
    own: Mapping[str, Declared],
    known: Mapping[str, Declared],
    name: str | None,
) -> Declared:
    if name is not None:
        if name in known:
            return known[name]
        raise ChoiceError(f"there is no {kind} `{name}`; there is {_listed(known)}")
    if len(own) == 1:
        return next(iter(own.values()))
    if not own:
        raise ChoiceError(f"the file declares no {kind}")
    many, option = ("studies", "name") if kind == "study" else (f"{kind}s", kind)
    raise ChoiceError(
        f"the file declares {len(own)} {many}; choose with --{option}: {_listed(own)}"
    )


def _listed(names: "Mapping[str, object] | list[str]") -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
