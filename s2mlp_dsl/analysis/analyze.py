"""All figures of a model, and of everything in a spec."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s2mlp_dsl.analysis.claims import ClaimChecker, Claimed
from s2mlp_dsl.analysis.cost import (
    CostRow,
    cost_table,
    tensors_of,
    total_macs,
    total_params,
)
from s2mlp_dsl.analysis.quantities import Quantities
from s2mlp_dsl.analysis.receptive_field import ReceptiveField, analyze_receptive_field
from s2mlp_dsl.analysis.work import Work
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue.claims import NO_SUCH_MODEL, UNREAD
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.models import base_of, expand_model, parse_overrides
from s2mlp_dsl.elaborate.spec import Spec, require_parameters
from s2mlp_dsl.ir.hash import function_hash, weight_hash
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.operators import applied

if TYPE_CHECKING:
    from s2mlp_dsl.recipe.study import Study


@dataclass(frozen=True, slots=True)
class Analysis:
    """The figures of a model, for one image.

    `flops` is 2 · MACs. All figures are None for a model with unbound parameters, which
    are `open`; `receptive_field` also where the maps are too large to relate.
    """

    name: str
    open: tuple[str, ...] = ()
    function_hash: str | None = None
    weight_hash: str | None = None
    image: tuple[int, ...] | None = None
    result: Shape | None = None
    params: int | None = None
    macs: int | None = None
    flops: int | None = None
    receptive_field: ReceptiveField | None = None
    claims: tuple[Claimed, ...] = ()
    rows: tuple[CostRow, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every claim is proved."""
        return all(claim.verdict == "holds" for claim in self.claims)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from s2mlp_dsl.analysis.notebook import analysis_html

        return analysis_html(self)


def analyze_model(model: Model, work: Work | None = None) -> Analysis:
    """The figures of an expanded model, without claims.

    Models that share `work` have no more of it together than one alone.
    """
    field = analyze_receptive_field(model, work=work)
    return replace(figures(model), receptive_field=field)


def figures(model: Model) -> Analysis:
    """The same without the receptive field, which takes most of the time."""
    rows = cost_table(model)
    macs = total_macs(rows)
    return Analysis(
        name=model.name,
        function_hash=function_hash(model),
        weight_hash=weight_hash(model, tensors_of),
        image=model.input_size,
        result=model.result,
        params=total_params(rows),
        macs=macs,
        flops=2 * macs,
        rows=tuple(rows),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything that was found in a spec.

    `report` has the mistakes of loading too; a model with mistakes has no figures.
    """

    analyses: tuple[Analysis, ...]
    studies: "tuple[Study, ...]"
    report: Report


def check_spec(
    spec: Spec, model: str | None = None, settings: Mapping[str, str] | None = None
) -> Checked:
    """Check one model of a spec, or everything that it declares.

    Raises `ChoiceError` for a model or setting that it does not have.
    """
    report = spec.report.copy()
    for claim in spec.claims_about_nothing():
        help = did_you_mean(claim.model.id, spec.models)
        report.add(NO_SUCH_MODEL, claim.model.span, help=help)
    if spec.recipes:
        _check_recipes(spec, report)
    chosen = [spec.choose_model(model)] if model else list(spec.models.values())
    work = Work()  # of all models: a spec may have thousands
    analyses = [check_model(spec, one, settings or {}, report, work) for one in chosen]
    studies = spec.elaborate_studies(report) if model is None else ()
    return Checked(tuple(analyses), studies, report)


def check_model(
    spec: Spec,
    declared: Declared,
    settings: Mapping[str, str],
    report: Report,
    work: Work,
) -> Analysis:
    """Figures and claims of one model of a spec; mistakes go to the report.

    A model with unbound parameters is checked as far as that goes, and one with
    mistakes has no figures.
    """
    name = declared.declaration.name.id
    try:
        base = base_of(declared, report)
        require_parameters(base, settings)
        if missing := base.open_params(settings):
            analysis = Analysis(name=name, open=tuple(missing))
            return with_claims(spec, analysis, None, report, work)
        errors = len(report.errors)
        overrides = parse_overrides(settings, report)
        model = expand_model(declared, base, overrides, report)
    except AlreadyReported:
        return Analysis(name=name)
    if len(report.errors) > errors:
        return Analysis(name=name)
    note_dropped(model, report)
    return with_claims(spec, analyze_model(model, work), model, report, work)


def with_claims(
    spec: Spec,
    analysis: Analysis,
    model: Model | None,
    report: Report | None = None,
    work: Work | None = None,
) -> Analysis:
    """The analysis with a verdict on everything the spec claims of the model."""
    report = spec.report.copy() if report is None else report
    quantities = Quantities(
        report,
        model,
        list(analysis.rows),
        analysis.receptive_field,
        analysis.open,
        work or Work(),
    )
    checker = ClaimChecker(spec.unit, quantities)
    facts = [fact for claim in spec.claims(analysis.name) for fact in claim.facts]
    return replace(analysis, claims=tuple(checker.check(fact) for fact in facts))


def note_dropped(model: Model, report: Report) -> None:
    """Note every statement with rows or columns of its input that no window reads.

    There are as many windows as fit, ⌊(n + 2 · pad − size) / stride⌋ + 1 (the
    language's third law). Nothing is rounded silently.
    """
    for op in ops_in(model):
        down, right = applied(op).unread()
        if op.span is None or not isinstance(op.source, Map) or not (down or right):
            continue
        sides = [("row", down, op.source.height), ("column", right, op.source.width)]
        cut = [(what, unread, side) for what, unread, side in sides if unread]
        report.add(
            UNREAD,
            op.span,
            unread=" and ".join(_last(what, unread) for what, unread, _ in cut),
            input=op.source,
            output=op.result,
            fitting=" and ".join(f"{side - n} {what}s" for what, n, side in cut),
        )


def _last(what: str, count: int) -> str:
    return f"the last {what}" if count == 1 else f"the last {count} {what}s"


def _check_recipes(spec: Spec, report: Report) -> None:
    """Resolve every recipe, for what is wrong with it."""
    # A model alone needs none of the records of recipes, which take time to load.
    from s2mlp_dsl.elaborate.recipes import resolve_recipe

    for recipe in spec.recipes.values():
        with suppress(AlreadyReported):
            resolve_recipe(recipe, {}, report)
