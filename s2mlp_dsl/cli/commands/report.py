"""`s2mlp-dsl report SPEC`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from s2mlp_dsl.analysis.analyze import with_claims
from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import FILE, model_options
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec, load
from s2mlp_dsl.report.page import report
from s2mlp_dsl.report.subject import Subject, read_run


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
    paths = [Path(one) for one in what]
    runs = [read_run(one) for one in paths if one.is_dir()]
    programs = [
        program
        for path in paths
        if not path.is_dir()
        for program in _programs(path, model, settings)
    ]
    if not programs:
        raise ChoiceError("no spec is given, or none of its models is complete")
    proofs = {one["function_hash"]: one for one in map(_certificate, certificates)}
    subjects = [_subject(one, proofs, verify=verify) for one in programs]
    text = report(subjects, runs)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    print(f"wrote {output}", file=sys.stderr)
    return 0


def _programs(path: Path, model: str | None, settings: dict[str, str]) -> list[Program]:
    """The chosen model, or every one that `settings` leave no parameter open of."""
    loaded = load(path)
    names = [model] if model else list(loaded.models)
    if not model and len(names) > 1:
        names = _complete(loaded, settings)
    return [elaborate(loaded, name, settings) for name in names]


def _complete(loaded: Spec, settings: dict[str, str]) -> list[str]:
    """The models of a spec without open parameters. Raises `SpecError`."""
    return [
        name
        for name, declared in loaded.models.items()
        if not loaded.base(declared).open_params(settings)
    ]


def _subject(
    program: Program, proofs: dict[str, dict[str, Any]], *, verify: bool
) -> Subject:
    analysis = with_claims(program.spec, program.analysis, program.model)
    proof = proofs.get(analysis.function_hash or "")
    if verify:
        from s2mlp_dsl.verify.verify import verify_program

        proof = verify_program(program).as_data()
    return Subject(program.spec, program.model, analysis, proof)


def _certificate(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(data["function_hash"], str) and isinstance(
            data["checks"], list
        )
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise click.BadParameter(f"{path} is no certificate: {error}") from error
    return dict(data)
