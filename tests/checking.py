"""A spec given as text, checked: what the front-end tests start from."""

from s2mlp_dsl.analysis.analyze import Analysis, check_spec
from s2mlp_dsl.diagnostics import Diagnostic, SpecError
from s2mlp_dsl.elaborate.spec import Spec, load
from s2mlp_dsl.ir.program import Model


def spec_of(text: str) -> Spec:
    return load(text if "\n" in text else text + "\n", "spec.arch")


def diagnose(text: str) -> list[Diagnostic]:
    """Everything that `check` reports about a text."""
    try:
        return check_spec(spec_of(text)).report.sorted()
    except SpecError as error:
        return list(error.diagnostics)


def mistakes(text: str) -> list[tuple[str, int]]:
    """(code, line) of every diagnostic, in order."""
    return [(one.code.number, one.primary.span.line) for one in diagnose(text)]


def marked(text: str) -> list[tuple[str, str]]:
    """(code, the text that the carets are under) of every diagnostic, in order."""
    return [(one.code.number, one.primary.span.text) for one in diagnose(text)]


def model_of(text: str, name: str | None = None, **settings: str) -> Model:
    """The IR of the only model of a text, or of the one named."""
    spec = spec_of(text)
    return spec.expand(spec.choose_model(name), settings)


def analysis_of(text: str) -> Analysis:
    """Figures and claims of the only model of a text, which must be right."""
    checked = check_spec(spec_of(text))
    assert not checked.report.diagnostics
    (analysis,) = checked.analyses
    return analysis
