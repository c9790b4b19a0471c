"""`s2mlp-dsl check SPEC`."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2mlp_dsl.analysis.analyze import Analysis, check_spec
from s2mlp_dsl.analysis.cost import CostRow
from s2mlp_dsl.cli.options import format_option, model_options, spec_argument
from s2mlp_dsl.cli.output import (
    columns,
    print_diagnostics,
    print_json,
    receptive_field_text,
    say,
)
from s2mlp_dsl.diagnostics import Diagnostic, SpecError, as_data, clean, exit_code
from s2mlp_dsl.elaborate.spec import load

if TYPE_CHECKING:
    from s2mlp_dsl.recipe.study import Study

_MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}


@click.command()
@spec_argument
@model_options
@format_option("json", "sarif")
@click.option(
    "--symbolic",
    is_flag=True,
    help="Print parameters and MACs as formulas in the model's parameters.",
)
@click.option("--fix", is_flag=True, help="Apply the certain fixes to SPEC first.")
@click.option("--diff", is_flag=True, help="With --fix: print the changes only.")
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    form: str,
    fix: bool,
    diff: bool,
    symbolic: bool,
) -> int:
    """Check shapes, parameters, MACs, receptive field and claims of SPEC.

    Without --model, every model of the file is checked. PyTorch is not imported.
    """
    if diff and not fix:
        raise click.UsageError("--diff needs --fix")
    if fix:
        # Imported here: most runs do not need it.
        from s2mlp_dsl.cli.fix import fix_file

        fixed = fix_file(spec)
        if diff:
            sys.stdout.write(fixed.difference)
            return 1 if fixed.count else 0
        if fixed.count:
            fixed.write()
            plural = "es" if fixed.count > 1 else ""
            say(f"applied {fixed.count} fix{plural} to {spec}")
    try:
        loaded = load(spec)
        checked = check_spec(loaded, model, settings)
        if symbolic and form != "sarif":
            from s2mlp_dsl.cli.symbolic import print_symbolic

            checked.report.raise_errors()
            return print_symbolic(loaded, model, settings, form)
    except SpecError as error:
        if form == "text":
            raise
        _print(form, error.diagnostics)
        return error.exit_code
    diagnostics = checked.report.sorted()
    _print(form, diagnostics, checked.analyses, checked.studies)
    refuted = not all(analysis.holds for analysis in checked.analyses)
    return 1 if refuted else exit_code(diagnostics)


def _print(
    form: str,
    diagnostics: Iterable[Diagnostic],
    analyses: Iterable[Analysis] = (),
    studies: "Iterable[Study]" = (),
) -> None:
    if form == "sarif":
        from s2mlp_dsl.api import VERSION
        from s2mlp_dsl.diagnostics import as_sarif

        print_json(as_sarif(list(diagnostics), VERSION))
    elif form == "json":
        print_json(
            {
                "diagnostics": [as_data(one) for one in diagnostics],
                "models": [_model_data(one) for one in analyses],
                "studies": [_study_data(one) for one in studies],
            }
        )
    else:
        print_diagnostics(diagnostics)
        texts = [*map(_model_text, analyses), *map(_study_text, studies)]
        if texts:
            print("\n\n".join(texts))


def _model_data(analysis: Analysis) -> dict[str, Any]:
    return {
        "name": analysis.name,
        "open": list(analysis.open),
        "hashes": {
            "function": analysis.function_hash,
            "weights": analysis.weight_hash,
        },
        "image": analysis.image and list(analysis.image),
        "result": analysis.result and list(analysis.result.dims),
        "params": analysis.params,
        "macs": analysis.macs,
        "flops": analysis.flops,
        "receptive_field": analysis.receptive_field
        and asdict(analysis.receptive_field),
        "claims": [
            {
                "claim": claim.text,
                "verdict": claim.verdict,
                "found": claim.found,
                "reason": claim.reason,
                "line": claim.span.line if claim.span else None,
            }
            for claim in analysis.claims
        ],
        "statements": [
            {
                "path": row.path,
                "operator": row.operator,
                "shape": list(row.result.dims),
                "count": row.count,
                "params": row.total_params,
                "macs": row.total_macs,
            }
            for row in analysis.rows
        ],
    }


def _model_text(analysis: Analysis) -> str:
    if analysis.open:
        unbound = f"{analysis.name}: unbound parameters: {', '.join(analysis.open)}"
        return "\n".join([unbound, *_claims(analysis)])
    if analysis.params is None or analysis.macs is None or analysis.image is None:
        return f"{analysis.name}: skipped because of the errors above"
    image = " × ".join(map(str, analysis.image))
    lines = [f"{analysis.name}: image {image} → {analysis.result}", ""]
    lines += _table(analysis.rows)
    lines += [
        "",
        f"  params           {analysis.params:,}",
        f"  MACs             {analysis.macs:,} per image ({analysis.macs / 1e9:.3f} G)",
        f"  receptive field  {receptive_field_text(analysis.receptive_field)}",
        f"  hashes           function {_short(analysis.function_hash)}, "
        f"weights {_short(analysis.weight_hash)}",
    ]
    return "\n".join([*lines, *_claims(analysis)])


def _study_data(study: "Study") -> dict[str, Any]:
    return {
        "name": study.name,
        "seeds": list(study.seeds),
        "runs": study.runs,
        "rows": [
            row.model_dump(mode="json", exclude={"model", "recipe"})
            for row in study.rows
        ],
    }


def _study_text(study: "Study") -> str:
    """The rows with their models; the runs of equal rows are shared."""
    seeds = f"{len(study.seeds)} seed" + "s" * (len(study.seeds) > 1)
    head = f"{study.name}: a study of {len(study.rows)} rows, {seeds}"
    cells = []
    for row in study.rows:
        given = ", ".join(f"{key} = {value}" for key, value in row.arguments)
        call = f"{row.model_name}({given})" if given else row.model_name
        shared = "" if row.runs == row.key else f"  (runs of {row.runs})"
        cells.append((row.label, f"{call}{shared}"))
    lines = [f"{head}, {study.runs} runs", "", *columns(cells, "<<", indent="  ")]
    return "\n".join(lines)


def _claims(analysis: Analysis) -> list[str]:
    lines = ["", "  claims"] if analysis.claims else []
    for claim in analysis.claims:
        found = f"   is {claim.found}" if claim.found else ""
        lines.append(f"    {_MARKS[claim.verdict]} {clean(claim.text)}{found}")
    return lines


def _table(rows: tuple[CostRow, ...]) -> list[str]:
    cells = [("statement", "", "shape", "params", "MACs")]
    for row in rows:
        times = f"×{row.count}" if row.count > 1 else ""
        params = f"{row.total_params:,}" if row.params else "–"
        macs = f"{row.total_macs:,}" if row.macs else "–"
        cells.append((row.path, times, str(row.result), params, macs))
    return columns(cells, "<><>>", indent="  ")


def _short(digest: str | None) -> str:
    return (digest or "")[:12]
