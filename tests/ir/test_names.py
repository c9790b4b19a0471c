"""Names of modules: short, distinct, and never one that torch needs."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2mlp_dsl.ir.names import RESERVED, assign_names
from s2mlp_dsl.ir.program import Residual, Statement
from tests.checking import model_of


def test_reserved_names_are_torch_s() -> None:
    from torch import fx, nn

    traced = fx.symbolic_trace(nn.Identity())
    found = {*dir(nn.Module), *dir(traced)} - {"shape_env"}
    public = {name for name in found if not name.startswith("_")}
    assert public - RESERVED == set()
    # `training` is set by `__init__`, so `dir` of the class does not show it.
    assert RESERVED - public <= {
        *("training", "call_super_init", "dump_patches", "shape_env")
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([("linear", False), ("gelu", False)], ["linear", "gelu"]),
        ([("linear", False), ("linear", False)], ["linear1", "linear2"]),
        ([("head", True), ("linear", False)], ["head", "linear"]),
        ([("linear", False), ("linear", True)], ["linear1", "linear"]),
        ([("a", False), ("a", False), ("a1", True)], ["a2", "a3", "a1"]),
        ([("a", False), ("a", False), ("a1", False)], ["a2", "a3", "a1"]),
        ([("float", True), ("float_", True)], ["float_", "float__"]),
        ([("float", False), ("float_", False)], ["float_", "float_1"]),
        ([("class", True)], ["class_"]),
        ([("_x", True), ("x", True)], ["x", "x_"]),
        ([("_train", True)], ["train_"]),
        ([("_", True), ("__", True)], ["name", "name_"]),
    ],
)
def test_rule(wanted: list[tuple[str, bool]], names: list[str]) -> None:
    assert assign_names(wanted) == names


words = st.sampled_from(
    ["a", "a1", "a_", "_a", "a2", "half", "half_", "for", "for_", "_", "name", "train"]
)


@given(st.lists(st.tuples(words, st.booleans()), max_size=12))
def test_always_distinct(wanted: list[tuple[str, bool]]) -> None:
    names = assign_names(wanted)
    assert len(set(names)) == len(names) == len(wanted)
    for name in names:
        assert name.isidentifier() and not name.startswith("_")
        assert name not in RESERVED and not keyword.iskeyword(name)


def names_in(body: tuple[Statement, ...]) -> list[str]:
    found = []
    for one in body:
        found += names_in(one.body) if isinstance(one, Residual) else [one.name]
    return found


def test_residuals_add_no_level() -> None:
    text = """edition 1
block b(n = 1) {
    linear(n * dim)
}
model m {
    image(3, 4, 4)
    linear(4)
    residual {
        linear(4)
        to: linear(4)
    }
    b
    b(2)
    stack 2 {
        gelu
    }
    b
}
"""
    assert names_in(model_of(text).body) == [
        "image",
        "linear1",
        "linear2",
        "to_",
        "b",
        "b_2",
        "stack",
        "b_3",
    ]
