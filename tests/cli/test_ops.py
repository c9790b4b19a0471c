"""`s2mlp-dsl ops`: every operator, with the figures of its example."""

import json

import pytest

from s2mlp_dsl.analysis.operator_docs import operator_doc
from s2mlp_dsl.operators import OPERATORS, find_region
from tests.cli.running import s2mlp

NAMES = [*OPERATORS]


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_is_described(name: str) -> None:
    doc = operator_doc(name)
    for text in (doc.summary, doc.formula, doc.initialisation, doc.paper):
        assert text.strip()
    assert doc.example.leaves
    assert (doc.table1 is None) == (find_region(name) is not None)


def test_figures_of_examples() -> None:
    """By hand: 4 · 6 + 6, and 15 positions · 4 · 6; nothing for a shift."""
    linear, shift = operator_doc("linear"), operator_doc("shift")
    assert (linear.example.params, linear.example.macs) == (30, 360)
    assert linear.table1 is not None and linear.table1.learned
    assert (shift.example.params, shift.example.macs) == (0, 0)
    assert shift.table1 is not None
    assert (shift.table1.learned, shift.table1.reads) == (False, "neighbours")
    fold = operator_doc("fold")
    assert fold.example.enters == fold.example.leaves == "3 × 5 × 4"


def test_the_list_and_an_operator_in_words() -> None:
    done = s2mlp("ops")
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert (done.returncode, listed) == (0, NAMES)
    text = s2mlp("ops", "linear").stdout
    assert "bias: enum = on (on, off), whether b is added" in text
    assert "3 × 5 × 4 → 3 × 5 × 6" in text and "30 params, 360 MACs" in text
    # What the place implies is no argument to write.
    assert "branches: count" not in s2mlp("ops", "sum").stdout


def test_json() -> None:
    docs = json.loads(s2mlp("ops", "--format", "json").stdout)
    assert [one["name"] for one in docs] == NAMES
    one = json.loads(s2mlp("ops", "norm", "--format", "json").stdout)
    assert one["arguments"][0]["choices"][0] == "layer"
    assert one == operator_doc("norm").model_dump(mode="json")


def test_an_unknown_operator_is_wrong_usage() -> None:
    done = s2mlp("ops", "nope")
    assert done.returncode == 2
    assert "no operator 'nope'; `s2mlp-dsl ops` lists all operators" in done.stderr
