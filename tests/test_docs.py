"""The examples of `docs/language.md` are checked, each as a file of its own."""

import re
from pathlib import Path

import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.ops import OPERATORS

PAGE = (Path(__file__).parents[1] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```arch\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_holds(text: str) -> None:
    spec = load(text)
    analyses = check_spec(spec)
    assert [one.message for one in spec.report.sorted()] == []
    assert analyses
    assert all(one.holds and one.params is not None for one in analyses)


def test_every_operator_is_on_the_page() -> None:
    listed = re.findall(r"^\| `(\w+)[(`]", PAGE, re.MULTILINE)
    assert set(OPERATORS) <= set(listed)
