"""First weights: what fact sheets say, and what a recipe may choose instead."""

from collections.abc import Callable
from math import prod, sqrt
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.commands.train import Setup
from s2mlp_dsl.diagnostics import AlreadyReported, Report, SpecError
from s2mlp_dsl.elaborate.models import parse_overrides
from s2mlp_dsl.elaborate.recipes import resolve_recipe
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.operators import built_in, find, with_matrices
from s2mlp_dsl.train import UsageError, initialise, train
from tests.operators.cases import CASES
from tests.recipes import Normal, Recipe, Synthetic
from tests.train import making
from tests.train.making import job, mlp

Std = Callable[[int, int], float]

SPEC = """edition 1
model all_sorts {
    image(3, 8, 8)
    patch: patch(2, 64)
    conv: conv(96, 3)
    depthwise: depthwise(5)
    attention: attention(4)
    norm: norm(layer)
    scale: scale(1/10)
    position: position
    linear: linear(256)
    pool(mean)
    linear(10)
}
recipe r {
    data = synthetic
    epochs = 1
    batch = 2
    init = INIT
}
"""


@pytest.fixture(scope="module")
def program() -> Program:
    return elaborate(SPEC.replace("INIT", "default"))


def recipe(init: str, **settings: str) -> Recipe:
    report = Report()
    spec = load(SPEC.replace("INIT", init))
    overrides = parse_overrides(settings, report)
    return resolve_recipe(spec.choose_recipe(None), overrides, report)


def begun(program: Program, init: str, seed: int = 0) -> dict[str, Tensor]:
    chosen = recipe(init, seed=str(seed))
    declared = load(SPEC.replace("INIT", init)).choose_recipe(None)
    model, job = Setup(program, chosen, declared, None, None, "cpu").begin(quiet=True)
    assert job.recipe.init == chosen.init
    return model.state_dict()


# as it is built: each fact sheet that says "uniform in ± …", held to that


def bound(weight: Tensor) -> float:
    return 1 / sqrt(weight[0].numel())


def test_fact_sheets_say_what_is_built(program: Program) -> None:
    torch.manual_seed(0)
    net = program.build().requires_grad_(False)
    for name in ("patch", "conv", "depthwise", "attention", "linear"):
        operator = find(name)
        assert operator is not None and "uniform in ±1/" in operator.initialisation
        for part in net.get_submodule(name).modules():
            if isinstance(part, nn.Linear | nn.Conv2d):
                limit = bound(part.weight)
                assert 0.98 * limit < part.weight.abs().max() <= limit
                assert part.weight.std() == pytest.approx(limit / sqrt(3), rel=0.03)
                assert part.bias is not None and part.bias.abs().max() <= limit
    assert torch.equal(net.norm.weight, torch.ones(96))
    assert torch.equal(net.scale.weight, torch.full((96,), 0.1))
    assert net.position.weight.std() == pytest.approx(0.02, rel=0.05)


def test_what_a_recipe_can_name_is_what_has_matrices() -> None:
    dense, stated = set(), set()
    for name, (case, *_) in CASES.items():
        net = case.program.build().get_submodule(case.op.name)
        if any(isinstance(one, nn.Linear | nn.Conv2d) for one in net.modules()):
            dense.add(name)
        if list(net.parameters()):
            stated.add(name)
    assert dense == set(with_matrices())
    says = {one.name for one in built_in() if "no par" not in one.initialisation}
    assert says == stated


# as a recipe chooses


@pytest.mark.parametrize(
    ("init", "std", "furthest"),
    [
        # A normal cut at two deviations keeps 0.8796 of its deviation.
        ("trunc_normal(0.02)", lambda fan_in, fan_out: 0.8796 * 0.02, 0.04),
        ("normal(std = 0.1)", lambda fan_in, fan_out: 0.1, None),
        ("xavier_uniform", lambda fan_in, fan_out: sqrt(2 / (fan_in + fan_out)), None),
        (
            "xavier_uniform(2)",
            lambda fan_in, fan_out: sqrt(8 / (fan_in + fan_out)),
            None,
        ),
        ("kaiming_normal", lambda fan_in, fan_out: sqrt(2 / fan_in), None),
    ],
)
def test_weights_are_drawn_as_the_recipe_says(
    program: Program, init: str, std: Std, furthest: float | None
) -> None:
    state = begun(program, init)
    for name, weight in state.items():
        if name.startswith(("patch.", "conv.", "depthwise.", "attention.", "linear.")):
            if name.endswith("bias"):
                assert not weight.any(), name
                continue
            out, *rest = weight.shape
            area = prod(rest[1:])
            fan_in, fan_out = rest[0] * area, out * area
            wanted = std(fan_in, fan_out)
            assert weight.std() == pytest.approx(wanted, rel=0.05), name
            assert abs(weight.mean()) < 5 * wanted / sqrt(weight.numel())
            if furthest is not None:
                assert weight.abs().max() <= furthest
    assert torch.equal(state["norm.weight"], torch.ones(96))
    assert torch.equal(state["scale.weight"], torch.full((96,), 0.1))


def test_of_some_operators_alone(program: Program) -> None:
    built = begun(program, "default")
    state = begun(
        program, "[normal(0.5), normal(2, of = conv), default(of = [linear])]"
    )
    assert state["patch.weight"].std() == pytest.approx(0.5, rel=0.05)
    assert state["conv.weight"].std() == pytest.approx(2, rel=0.05)
    assert torch.equal(state["linear.weight"], built["linear.weight"])
    assert torch.equal(state["linear.bias"], built["linear.bias"])


def test_the_seed_says_what_is_drawn(program: Program) -> None:
    one, again = (begun(program, "xavier_uniform") for _ in range(2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    other = begun(program, "xavier_uniform", seed=1)
    assert not torch.equal(one["linear.weight"], other["linear.weight"])
    # Nothing but the seed: not what PyTorch's own generator stands at.
    net = program.build()
    initialise(net, program.model, recipe("xavier_uniform"))
    assert torch.equal(net.state_dict()["linear.weight"], one["linear.weight"])


def test_an_operator_the_model_lacks() -> None:
    small = elaborate("edition 1\nmodel m {\n    image(1, 2, 2)\n    linear(2)\n}\n")
    with pytest.raises(UsageError, match="init is for `conv`, and m has none"):
        initialise(small.build(), small.model, recipe("normal(of = [linear, conv])"))


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ("trunc_normal(0)", "expected a number greater than 0"),
        ("normal(of = gelu)", "gelu"),
        ("normal(of = [linear, horizontal_flip])", "or `linear` or `patch`"),
        ("horizontal_flip", "write `default` or `kaiming_normal`"),
        ("xavier_uniform(std = 1)", "std"),
    ],
)
def test_a_wrong_init_is_said(init: str, said: str) -> None:
    with pytest.raises((SpecError, AlreadyReported)) as raised:
        report = Report()
        declared = load(SPEC.replace("INIT", init)).choose_recipe(None)
        try:
            resolve_recipe(declared, {}, report)
        except AlreadyReported:
            report.raise_errors()
            raise
    assert said in str(raised.value)


def test_a_run_with_another_init_is_another(tmp_path: Path) -> None:
    chosen = job(synthetic(init=(Normal(std=0.1),)))
    train(mlp(), chosen, tmp_path / "run", quiet=True)
    other = job(synthetic(init=(Normal(std=0.2),)))
    with pytest.raises(UsageError, match=r"recipe\.init\[0\]\.std: 0\.1 → 0\.2"):
        train(mlp(), other, tmp_path / "run", resume=True, quiet=True)
    default = job(synthetic())
    with pytest.raises(UsageError, match=r"init\[0\]\.kind: normal → default"):
        train(mlp(), default, tmp_path / "run", resume=True, quiet=True)


def synthetic(**changes: Any) -> Recipe:
    return making.recipe(data=Synthetic(images=4), epochs=1, batch=4, **changes)
