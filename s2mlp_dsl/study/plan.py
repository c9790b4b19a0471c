"""The plan of a study: its rows with their figures, without torch."""

from importlib.metadata import version

from s2mlp_dsl.analysis.analyze import Analysis, analyze_model
from s2mlp_dsl.recipe.study import Row, Study, recipe_hash
from s2mlp_dsl.study.records import Plan, PlanRow


def plan_of(study: Study) -> Plan:
    """What a study would train, with the figures of each row."""
    return Plan(
        name=study.name,
        doc=study.doc,
        spec=study.spec,
        rows=tuple(_row(row, analyze_model(row.model)) for row in study.rows),
        seeds=study.seeds,
        versions={"s2mlp-dsl": version("s2mlp-dsl")},
    )


def _row(row: Row, analysis: Analysis) -> PlanRow:
    assert analysis.params is not None and analysis.macs is not None
    assert analysis.function_hash is not None and analysis.weight_hash is not None
    receptive_field = analysis.receptive_field
    last = (
        receptive_field.steps[-1]
        if receptive_field is not None and receptive_field.steps
        else None
    )
    settings = row.recipe.settings()
    del settings["seed"]
    return PlanRow(
        key=row.key,
        runs=row.runs,
        label=row.label,
        case=row.case,
        axes=row.axes,
        model_name=row.model_name,
        arguments=row.arguments,
        params=analysis.params,
        macs=analysis.macs,
        grid=receptive_field.grid if receptive_field is not None else None,
        receptive_field=(last.least, last.most) if last is not None else None,
        iterations=receptive_field.iterations if receptive_field is not None else None,
        full_receptive_field=receptive_field.full
        if receptive_field is not None
        else None,
        printed=row.printed,
        function_hash=analysis.function_hash,
        weight_hash=analysis.weight_hash,
        recipe_hash=recipe_hash(row.recipe),
        recipe_name=row.recipe_name,
        recipe=settings,
    )
