"""`s2mlp-dsl verify SPEC`."""

from pathlib import Path

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import format_option, model_options, spec_argument
from s2mlp_dsl.cli.output import errors_as, print_json
from s2mlp_dsl.escape import plain_lines
from s2mlp_dsl.verify.backends import BACKENDS, default_backends
from s2mlp_dsl.verify.certificate import Certificate, Check


@click.command()
@spec_argument
@model_options
@format_option("json")
@click.option(
    "--backend",
    "backends",
    type=click.Choice(BACKENDS.names()),
    multiple=True,
    help="Verify only this backend. Can be repeated.  [default: all but compile]",
)
@click.option(
    "--full",
    is_flag=True,
    help="Verify every backend and every iteration of a stack, which takes minutes; "
    "else two iterations.",
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    form: str,
    backends: tuple[str, ...],
    full: bool,
) -> int:
    """Verify a compiled model of SPEC against the spec.

    The traced graph, shapes, parameters, MACs, the movement of every shift and the
    results of every statement are compared with the IR. Then every backend (the
    emitted file in a fresh process, torch.fx, an exported program, ONNX Runtime,
    torch.compile, the lowering for GPUs) is compared with the reference, gradients
    included. What does not depend on inputs is proved, the rest verified on random
    inputs.
    """
    from s2mlp_dsl.verify.verify import verify_program

    with errors_as(form):
        program = elaborate(spec, model, settings)
    names = backends or default_backends(full)
    certificate = verify_program(program, names, full=full)
    if form == "json":
        print_json(certificate.as_data())
    else:
        print(plain_lines(_as_text(certificate)))
    return 0 if certificate.passed else 1


def _as_text(certificate: Certificate) -> str:
    lines = [f"{certificate.model}, function {certificate.function_hash[:12]}"]
    checks = certificate.checks
    sizes = {size: None for check in checks for size in check.inputs}
    tried = ", ".join("×".join(map(str, size)) for size in sizes)
    width = max(len(check.name) for check in checks)
    for evidence, title in (
        ("proved", "proved, for all inputs:"),
        ("verified", f"verified, on inputs of seed {certificate.seed} ({tried}):"),
    ):
        lines += ["", title]
        for check in checks:
            if check.evidence == evidence:
                lines += _check(check, certificate.spec, width)
    versions = ", ".join(f"{name} {v}" for name, v in certificate.versions.items())
    verdict = "verified" if certificate.passed else "NOT verified"
    return "\n".join([*lines, "", f"{verdict}, with {versions}"])


def _check(check: Check, spec: str, width: int) -> list[str]:
    if check.omitted:
        return [f"  – {check.name:<{width}}    – {check.omitted}"]
    mark = "✓" if check.passed else "✗"
    error = ""
    if check.worst is not None:
        error = f" (worst {check.worst:.1e}, allowed {check.tolerance:.0e})"
    lines = [f"  {mark} {check.name:<{width}} {check.cases:>4} × {check.what}{error}"]
    for failure in check.failures:
        span = failure.span
        place = f"{span.source.name}:{span.line}: " if span else f"{spec}: "
        code = f" [{failure.code}]" if failure.code else ""
        lines.append(f"      {place}{failure.statement} {failure.message}{code}")
    return lines
