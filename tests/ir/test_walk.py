"""Nodes, the walker, and what passes build on them."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from s2mlp_dsl.ir.program import Body, Invocation, Model, Op
from s2mlp_dsl.ir.walk import (
    fold,
    occurrences,
    ops_in,
    rebuilt,
    statements,
    walk,
    within,
)
from tests.checking import model_of

TEXT = """edition 1
block inner {
    residual {
        lin: linear(dim)
    }
}
model m {
    image(4, 8, 8)
    stack 3 {
        inner
    } then 2 {
        gelu
        inner
    }
    both: parallel(split, merge = sum) {
        branch { }
        branch {
            pad(y, multiple = 3, edge = zeros) {
                inner
            }
        }
    }
}
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of(TEXT)


def test_a_wrong_statement_is_one_error(model: Model) -> None:
    data = model.model_dump(mode="json")
    assert Model.model_validate(data) == model
    data["body"][0]["operator"] = 3
    data["blocks"][0]["body"][0]["body"][0]["result"]["height"] = "high"
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(data)
    assert [error["loc"] for error in caught.value.errors()] == [
        (
            "blocks",
            0,
            "body",
            0,
            "residual",
            "body",
            0,
            "op",
            "result",
            "map",
            "height",
        ),
        ("body", 0, "op", "operator"),
    ]


def test_paths_counts_and_what_is_around(model: Model) -> None:
    found = {one.path: one for one in occurrences(model)}
    assert {path: one.count for path, one in found.items()} == {
        "image": 1,
        "stack.0-2.lin": 3,
        "stack.3-4.gelu": 2,
        "stack.3-4.inner.lin": 2,
        "extend": 1,
        "inner_2.lin": 1,
        "crop": 1,
        "sum": 1,
    }
    inside = found["inner_2.lin"]
    kinds = [one.kind for one in inside.around]
    assert kinds == ["parallel", "region", "call", "residual"]
    assert inside.labels == {"both", "lin"}


def test_each_iteration_is_a_module_of_its_own(model: Model) -> None:
    paths = [one.path for one in occurrences(model, each=True)]
    names = {name for name, _ in modules_of(model)}
    assert len(paths) == len(set(paths)) == 12
    assert set(paths) <= names


def modules_of(model: Model) -> list[tuple[str, object]]:
    from s2mlp_dsl.api import elaborate

    return list(elaborate(TEXT).build().named_modules())


def test_as_written(model: Model) -> None:
    assert [op.operator for op in ops_in(model)].count("linear") == 2
    opened = [one.statement for one in walk(model)]
    assert {id(one) for one in opened} == {id(one) for one in statements(model)}


def test_a_fold_opens_no_definition_twice(model: Model) -> None:
    def count(body: Body, known: Mapping[str, int]) -> int:
        calls.append(body)
        found = list(within(body))
        own = sum(isinstance(one, Op) for one in found)
        runs = [r for one in found if isinstance(one, Invocation) for r in one.runs]
        return own + sum(run.count * known[run.block] for run in runs)

    calls: list[object] = []
    assert fold(model, count) == sum(one.count for one in occurrences(model))
    assert len(calls) == len(model.blocks) + 1


def test_rebuilding_without_a_change_is_the_identity(model: Model) -> None:
    assert rebuilt(model.body, lambda statement: statement) == model.body
    shouted = rebuilt(model.body, lambda one: one.model_copy(update={"label": "x"}))
    assert all(one.label == "x" for one in within(shouted))


def test_outputs(model: Model) -> None:
    shapes = [str(one.output(model.definitions)) for one in model.body]
    assert shapes == ["8 × 8 × 4", "8 × 8 × 4", "8 × 8 × 2"]
