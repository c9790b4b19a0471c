"""`s2mlp-dsl check SPEC`."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2mlp_dsl.analysis.analyze import Analysis, check_spec
from s2mlp_dsl.analysis.cost import Row
from s2mlp_dsl.analysis.receptive_field import ReceptiveField
from s2mlp_dsl.cli.output import (
    format_option,
    model_options,
    print_diagnostics,
    spec_argument,
)
from s2mlp_dsl.diagnostics import Diagnostic, SpecError, as_data, clean, exit_code
from s2mlp_dsl.elaborate.spec import load

if TYPE_CHECKING:
    from s2mlp_dsl.ir.study import Study

_MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}


@click.command()
@spec_argument
@model_options
@format_option("json", "sarif")
@click.option(
    "--symbolic",
    is_flag=True,
    help="Params and MACs as formulas in the model's parameters instead.",
)
@click.option("--fix", is_flag=True, help="Write the certain fixes into SPEC first.")
@click.option("--diff", is_flag=True, help="With --fix: only print what would change.")
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    form: str,
    fix: bool,
    diff: bool,
    symbolic: bool,
) -> int:
    """Prove shapes, parameters, MACs, receptive field and claims of SPEC.

    Without --model, every model that the file declares is checked. PyTorch is
    not needed and not imported.
    """
    if diff and not fix:
        raise click.UsageError("--diff shows what --fix would change: give both")
    # What few runs ask for is not loaded for the others.
    if fix:
        from s2mlp_dsl.cli.fixing import fix_file

        file = fix_file(spec)
        if diff:
            sys.stdout.write(file.difference)
            return 1 if file.count else 0
        file.write()
    try:
        loaded = load(spec)
        analyses = check_spec(loaded, model, settings)
        studies = () if model else loaded.elaborated_studies
        diagnostics = loaded.report.sorted()
        if symbolic and form != "sarif":
            from s2mlp_dsl.cli.symbolic_text import print_symbolic

            loaded.report.raise_errors()
            return print_symbolic(loaded, model, settings, form)
    except SpecError as error:
        if form == "text":
            raise
        if form == "sarif":
            _print_sarif(error.diagnostics)
            return error.exit_code
        found = map(as_data, error.diagnostics)
        print(_json({"diagnostics": found, "models": [], "studies": []}))
        return error.exit_code
    if form == "sarif":
        _print_sarif(diagnostics)
    elif form == "json":
        print(
            _json(
                {
                    "diagnostics": map(as_data, diagnostics),
                    "models": map(_as_data, analyses),
                    "studies": map(_study_data, studies),
                }
            )
        )
    else:
        print_diagnostics(diagnostics)
        texts = [*map(_as_text, analyses), *map(_study_text, studies)]
        if texts:
            print("\n\n".join(texts))
    refuted = not all(one.holds for one in analyses)
    return 1 if refuted else exit_code(diagnostics)


def _print_sarif(diagnostics: Iterable[Diagnostic]) -> None:
    from s2mlp_dsl.api import VERSION
    from s2mlp_dsl.diagnostics import as_sarif

    print(json.dumps(as_sarif(list(diagnostics), VERSION), indent=2))


def _json(data: dict[str, Any]) -> str:
    return json.dumps({key: list(value) for key, value in data.items()}, indent=2)


def _as_data(analysis: Analysis) -> dict[str, Any]:
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


def _as_text(analysis: Analysis) -> str:
    if analysis.open:
        lines = [f"{analysis.name}: open, needs {', '.join(analysis.open)}"]
        return "\n".join([*lines, *_claims(analysis)])
    if analysis.params is None or analysis.macs is None or analysis.image is None:
        return f"{analysis.name}: not checked further"
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
    width = max(len(row.label) for row in study.rows)
    lines = [f"{head}, {study.runs} runs", ""]
    for row in study.rows:
        given = ", ".join(f"{key} = {value}" for key, value in row.arguments)
        call = f"{row.model_name}({given})" if given else row.model_name
        shared = "" if row.runs == row.key else f"  (runs of {row.runs})"
        lines.append(f"  {row.label:<{width}}  {call}{shared}")
    return "\n".join(lines)


def _claims(analysis: Analysis) -> list[str]:
    lines = ["", "  claims"] if analysis.claims else []
    for claim in analysis.claims:
        found = f"   is {claim.found}" if claim.found else ""
        lines.append(f"    {_MARKS[claim.verdict]} {clean(claim.text)}{found}")
    return lines


def _table(rows: tuple[Row, ...]) -> list[str]:
    cells = [("statement", "", "shape", "params", "MACs")]
    for row in rows:
        times = f"×{row.count}" if row.count > 1 else ""
        params = f"{row.total_params:,}" if row.params else "–"
        macs = f"{row.total_macs:,}" if row.macs else "–"
        cells.append((row.path, times, str(row.result), params, macs))
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    return [
        f"  {path:<{widths[0]}}  {times:>{widths[1]}}  {shape:<{widths[2]}}  "
        f"{params:>{widths[3]}}  {macs:>{widths[4]}}"
        for path, times, shape, params, macs in cells
    ]


def receptive_field_text(receptive_field: ReceptiveField | None) -> str:
    """How far a model reaches, in a line."""
    if receptive_field is None:
        return "not computed: the maps are too large"
    grid = " × ".join(map(str, receptive_field.grid))
    if not receptive_field.steps:
        return f"{grid} positions, and no stack to count"
    if receptive_field.full is not None:
        return (
            f"full ({grid}) after {receptive_field.full} "
            f"of {receptive_field.iterations} iterations"
        )
    last = receptive_field.steps[-1]
    total = prod(receptive_field.grid)
    return (
        f"{last.least} to {last.most} of {total} positions ({grid}) "
        f"after {receptive_field.iterations} iterations"
    )


def _short(digest: str | None) -> str:
    return (digest or "")[:12]
