"""A spec: a file with everything it imports, ready to be asked for its parts."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.suggest import listed
from s2mlp_dsl.elaborate.evaluate import Steps
from s2mlp_dsl.elaborate.files import (
    Declared,
    Unit,
    UnreadableSpec,
    decode_source,
    load_unit,
    read_source,
)
from s2mlp_dsl.elaborate.models import (
    Base,
    base_of,
    expand_model,
    parse_overrides,
    with_image,
)
from s2mlp_dsl.elaborate.names import check_names
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.source import Source

if TYPE_CHECKING:
    from s2mlp_dsl.recipe.study import Study


class ChoiceError(Exception):
    """The caller asked for something that the spec does not have."""


@dataclass(eq=False, repr=False)
class Spec:
    """A loaded file, which no call changes.

    `report` has the mistakes found while loading. What a call finds beyond them is in a
    report of its own. `files` are the files that were read, the imported ones too.
    """

    unit: Unit
    report: Report
    files: tuple[Path, ...]

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

    def elaborate_studies(self, report: Report) -> "tuple[Study, ...]":
        """The studies of the file without those that have mistakes, now reported."""
        if not self.studies:
            return ()
        # Most files have none, and the records of recipes take time to load.
        from s2mlp_dsl.elaborate.studies import elaborate_study

        found = []
        for declared in self.studies.values():
            with suppress(AlreadyReported):
                found.append(elaborate_study(declared, report))
        return tuple(found)

    def study(self, declared: Declared, settings: Mapping[str, str]) -> "Study":
        """A study with some settings and parameters given for all its rows.

        Raises `SpecError` when the spec or a setting is wrong.
        """
        from s2mlp_dsl.elaborate.studies import elaborate_study

        if "seed" in settings:
            raise ChoiceError("a study has its own seeds: --seeds 3")
        with self.report.copy().raising() as report:
            overrides = parse_overrides(settings, report)
            return elaborate_study(declared, report, overrides)

    def claims(self, model: str) -> list[tree.Claim]:
        """The claims of the file about one of its models."""
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

        Raises `SpecError` instead where mistakes left no model to choose.
        """
        if not self.models:
            self.report.raise_errors()
        known = self._known((tree.Model, tree.Variant))
        return _choose("model", self.models, known, name)

    def choose_recipe(self, name: str | None) -> Declared:
        """The recipe of that name, or the only one. Raises `ChoiceError`."""
        return _choose("recipe", self.recipes, self._known(tree.Recipe), name)

    def choose_study(self, name: str | None) -> Declared:
        """The study of that name, or the only one. Raises `ChoiceError`."""
        return _choose("study", self.studies, self._known(tree.Study), name)

    def bound_models(self, settings: Mapping[str, str]) -> list[Declared]:
        """The models of the file whose parameters all have values with `settings`."""
        return [
            declared
            for declared in self.models.values()
            if not self.base(declared).open_params(settings)
        ]

    def base(self, declared: Declared) -> Base:
        """The model with a body that a variant is derived from. Raises `SpecError`."""
        with self.report.copy().raising() as report:
            return base_of(declared, report)

    def expand(
        self,
        declared: Declared,
        settings: Mapping[str, str],
        image: tuple[int, ...] | None = None,
        spent: Steps | None = None,
    ) -> ir.Model:
        """The IR of a model with `settings` as further arguments.

        With `image`, (channels, height, width), the model takes images of that size.
        The steps of evaluation are added to `spent`.
        Raises `SpecError` when the spec is wrong, `ChoiceError` when a
        parameter has no value or a setting belongs to no parameter.
        """
        with self.report.copy().raising() as report:
            base = base_of(declared, report)
            if missing := base.open_params(settings):
                name = declared.declaration.name.id
                hints = " ".join(f"--set {param}=…" for param in missing)
                raise ChoiceError(f"`{name}` needs {listed(missing)}: {hints}")
            require_parameters(base, settings)
            overrides = parse_overrides(settings, report)
            if image is not None:
                base = with_image(base, image)
            return expand_model(declared, base, overrides, report, spent)

    def claims_about_nothing(self) -> list[tree.Claim]:
        """Claims whose model the file does not declare."""
        models = self.models
        return [
            claim
            for name, claims in self._claims.items()
            if name not in models and not self.unit.hides(name)
            for claim in claims
        ]

    def _known(self, kind: type | tuple[type, ...]) -> dict[str, Declared]:
        """Declarations of a kind, the imported ones too."""
        return {
            name: declared
            for name, declared in self.unit.names.items()
            if isinstance(declared.declaration, kind)
        }


def require_parameters(base: Base, settings: Collection[str]) -> None:
    """Raise `ChoiceError` for a setting that belongs to no parameter of a model."""
    known = [param.name.id for param in base.params]
    for key in settings:
        if key not in known:
            raise ChoiceError(
                f"the model has no parameter `{key}`; it has {listed(known)}"
            )


def load(spec: "str | Path", name: str | None = None) -> Spec:
    """Read a spec from a path, or from its text if it has more than one line.

    Names are checked; models are not expanded yet. Raises `UnreadableSpec`
    where there is no such file.
    """
    if isinstance(spec, str) and "\n" in spec:
        # Half of a pair of surrogates is no text, and could not be written anywhere.
        data = spec.encode("utf-8", "surrogatepass")
        return load_source(decode_source(data, name or "<text>", None, Report()))
    try:
        return load_source(read_source(Path(spec), name or str(spec), Report()))
    except UnreadableSpec as error:
        if not isinstance(spec, str):
            raise
        note = "a string of one line is taken as a path; the text of a spec has several"
        found = [replace(one, notes=(*one.notes, note)) for one in error.diagnostics]
        raise UnreadableSpec(found) from error


def load_source(source: Source) -> Spec:
    """As `load`, for a source that has been read already."""
    report = Report()
    units = load_unit(source, report)
    for unit in units:
        check_names(unit, report)
    sources = [unit.file.source for unit in units]
    files = tuple(one.path for one in sources if one.path is not None)
    return Spec(units[0], report, files)


def _choose(
    kind: str,
    own: Mapping[str, Declared],
    known: Mapping[str, Declared],
    name: str | None,
) -> Declared:
    if name is not None:
        if name in known:
            return known[name]
        raise ChoiceError(f"there is no {kind} `{name}`; there is {listed(known)}")
    if len(own) == 1:
        return next(iter(own.values()))
    if not own:
        raise ChoiceError(f"the file declares no {kind}")
    many, option = ("studies", "name") if kind == "study" else (f"{kind}s", kind)
    raise ChoiceError(
        f"the file declares {len(own)} {many}; choose with --{option}: {listed(own)}"
    )
