"""What is fuzzed: a function of bytes that must never raise."""

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.diagnostics import Report, SpecError, as_data, render_text
from s2mlp_dsl.elaborate.spec import Spec, load
from s2mlp_dsl.frontend import parse
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.source import Source


def fuzz_parse(data: bytes) -> None:
    """Read, and format what is right: the result must read the same again."""
    report = Report()
    file = parse(Source("spec.arch", data.decode("utf-8", "replace")), report)
    for one in report:
        render_text(one)
    if report.errors:
        return
    again = Report()
    formatted = format_file(file)
    reread = parse(Source("spec.arch", formatted), again)
    assert not again.errors, formatted
    assert format_file(reread) == formatted, formatted


def fuzz_check(data: bytes) -> None:
    """All of `check`, on text alone: imports find the shipped files only."""
    check(data.decode("utf-8", "replace") + "\n")


def check(text: str) -> Spec | None:
    """Check a spec and show what is found. The spec, None where it has errors."""
    spec = None
    try:
        spec = load(text, "spec.arch")
        found = tuple(check_spec(spec).report.sorted())
    except SpecError as error:
        found = error.diagnostics
    for one in found:
        render_text(one)
        as_data(one)
    wrong = any(one.code.severity == "error" for one in found)
    return None if wrong else spec


TARGETS = {"parse": fuzz_parse, "check": fuzz_check}
