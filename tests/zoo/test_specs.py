"""Every shipped spec: its claims hold, its layout is the one, its models are proved."""

from pathlib import Path

import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.api import verify
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.frontend import parse
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.source import Source

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.arch"))
# The rows of the paper's tables differ in numbers alone; their model is verified.
ALIKE = {"s2mlp_tables"}


def closed(path: Path) -> list[str]:
    """The models of a spec that need no arguments."""
    spec = load(path)
    return [
        name for name, one in spec.models.items() if not spec.base(one).open_params({})
    ]


MODELS = [
    (path, name) for path in SPECS if path.stem not in ALIKE for name in closed(path)
]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_claims_hold(path: Path) -> None:
    checked = check_spec(load(path))
    assert [one.message for one in checked.report.sorted()] == []
    assert all(one.holds for one in checked.analyses)
    assert all(one.params for one in checked.analyses if not one.open)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_file(parse(Source(path.name, text), Report())) == text


@pytest.mark.slow
@pytest.mark.parametrize(("path", "model"), MODELS, ids=lambda one: str(one)[-24:])
def test_proved(path: Path, model: str) -> None:
    certificate = verify(path, model=model)
    assert certificate.passed, [one for one in certificate.checks if not one.passed]
