"""`s2mlp-dsl verify SPEC`."""

import json
from pathlib import Path

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.output import (
    format_option,
    model_options,
    print_as_data,
    spec_argument,
)
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.verify.certificate import Certificate, Check

# As in verify/forms.py, which imports torch.
_TARGETS = ("eager", "cuda", "emitted", "fx", "export", "decomposed", "onnx", "compile")

WIDTH = 42  # of the longest name of a check


@click.command()
@spec_argument
@model_options
@format_option("json")
@click.option(
    "--target",
    "targets",
    type=click.Choice(_TARGETS),
    multiple=True,
    help="Only these forms of the model.  [default: all but compile]",
)
@click.option(
    "--full",
    is_flag=True,
    help="All forms, and of the whole model: minutes. Else two iterations of a stack.",
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    form: str,
    targets: tuple[str, ...],
    full: bool,
) -> int:
    """Compile a model of SPEC and prove the result equal to the spec.

    The traced graph, shapes, parameters, MACs, the movement of every shift and
    the results of every statement are held against the IR. Then the forms that
    the model can take (the emitted file in a fresh process, torch.fx, an exported
    program, ONNX Runtime, compiled) are held against the reference, with gradients.
    """
    from s2mlp_dsl.verify.forms import available
    from s2mlp_dsl.verify.verify import verify_program

    forms = targets or available(full)
    try:
        program = elaborate(spec, model, settings)
    except SpecError as error:
        if form == "text":
            raise
        print_as_data(error.diagnostics)
        return error.exit_code
    certificate = verify_program(program, forms, full=full)
    if form == "json":
        print(json.dumps(certificate.as_data(), indent=2))
    else:
        print(_as_text(certificate))
    return 0 if certificate.passed else 1


def _as_text(certificate: Certificate) -> str:
    lines = [f"{certificate.model}, function {certificate.function_hash[:12]}", ""]
    for check in certificate.checks:
        lines += _check(check, certificate.spec)
    versions = ", ".join(f"{name} {v}" for name, v in certificate.versions.items())
    verdict = "proved" if certificate.passed else "NOT proved"
    return "\n".join([*lines, "", f"{verdict}, with {versions}"])


def _check(check: Check, spec: str) -> list[str]:
    if check.omitted:
        return [f"  – {check.name:<{WIDTH}}    – {check.omitted}"]
    mark = "✓" if check.passed else "✗"
    error = ""
    if check.worst is not None:
        error = f" (worst {check.worst:.1e}, allowed {check.tolerance:.0e})"
    lines = [f"  {mark} {check.name:<{WIDTH}} {check.cases:>4} × {check.what}{error}"]
    for failure in check.failures:
        span = failure.span
        place = f"{span.source.name}:{span.line}: " if span else f"{spec}: "
        code = f" [{failure.code}]" if failure.code else ""
        lines.append(f"      {place}{failure.statement} {failure.message}{code}")
    return lines
