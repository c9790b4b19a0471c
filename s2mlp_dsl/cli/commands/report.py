"""`s2mlp-dsl report SPEC`."""

import json
from pathlib import Path
from typing import Any

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import FILE, model_options
from s2mlp_dsl.cli.output import require_other_file, say, write
from s2mlp_dsl.elaborate.spec import ChoiceError, load
from s2mlp_dsl.report import Subject
from s2mlp_dsl.report.page import report
from s2mlp_dsl.report.runs import read_run


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="SPEC [SPEC|RUN]...")
@model_options
@click.option(
    "--verify", is_flag=True, help="Verify the compiled models too. Needs PyTorch."
)
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Output of `verify --format json`. Can be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="Output file.",
)
def command(
    what: tuple[str, ...],
    model: str | None,
    settings: dict[str, str],
    verify: bool,
    certificates: tuple[Path, ...],
    output: Path,
) -> int:
    """Write an HTML page that explains the models of SPEC.

    Further specs are compared with the first; folders are runs, and their curves are
    drawn. The page is a single file that loads nothing from the network.
    """
    paths = [Path(path) for path in what]
    specs = [path for path in paths if not path.is_dir()]
    programs = [one for path in specs for one in _programs(path, model, settings)]
    if not programs:
        raise ChoiceError("give a spec with a model whose parameters are all bound")
    runs = [read_run(path, say) for path in paths if path.is_dir()]
    read = [file for program in programs for file in program.spec.files]
    read += [file for run in runs for file in run.files]
    require_other_file(output, *read, *certificates)
    known = {data["function_hash"]: data for data in map(_certificate, certificates)}
    subjects = [_subject(program, known, verify=verify) for program in programs]
    write(output, report(subjects, runs).encode())
    return 0


def _programs(path: Path, model: str | None, settings: dict[str, str]) -> list[Program]:
    """The chosen model, or every one whose parameters are all bound."""
    loaded = load(path)
    names = [model] if model else list(loaded.models)
    if len(names) > 1:
        bound = loaded.bound_models(settings)
        names = [declared.declaration.name.id for declared in bound]
    return [elaborate(loaded, name, settings) for name in names]


def _subject(
    program: Program, certificates: dict[str, dict[str, Any]], *, verify: bool
) -> Subject:
    if not verify:
        return Subject(program, certificates.get(program.function_hash))
    from s2mlp_dsl.verify.verify import verify_program

    return Subject(program, verify_program(program).as_data())


def _certificate(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        checks = [dict(check) for check in data["checks"]]
        return {**data, "function_hash": str(data["function_hash"]), "checks": checks}
    except (ValueError, KeyError, TypeError) as error:
        raise click.BadParameter(
            f"{path} is not a certificate of `verify --format json`: {error!r}"
        ) from error
