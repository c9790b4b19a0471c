"""Faults planted in the emitted source, the verifying code untouched.

Each is one edit of the text that `compile` would run. `caught` names the checks
that must fail; `where` is part of the statement that one of them blames.
"""

from dataclasses import dataclass

import pytest
from torch import nn

import s2mlp_dsl as s2
from s2mlp_dsl.verify.certificate import Check
from s2mlp_dsl.verify.verify import verify_module

SPEC = """edition 1
import s2mlp, cross from "std:s2mlp"
model tiny = s2mlp(width = 16, depth = 2, size = 32, patch = 8, classes = 5)
"""
TWO_STEPS = SPEC.replace("classes = 5", "classes = 5, via = cross(2)")

PROGRAM, TWO = s2.elaborate(SPEC), s2.elaborate(TWO_STEPS)
CHECKS = {"structure", "shapes", "macs", "parameters", "movement", "numbers"}


@dataclass(frozen=True)
class Fault:
    name: str
    edits: tuple[tuple[str, str], ...]
    caught: str
    where: str
    program: s2.Program = PROGRAM


def fault(
    name: str,
    old: str,
    new: str,
    caught: str,
    where: str,
    program: s2.Program = PROGRAM,
) -> Fault:
    return Fault(name, ((old, new),), caught, where, program)


FORWARD = "        y = self.gelu1(y)\n        y = self.shift(y)\n"
NORM_LAST = "        y = self.linear1(x)\n"
GROUPS = "(4, 1, 0), (4, -1, 0), (4, 0, 1), (4, 0, -1)"
MOVED = "        return torch.cat(moved, dim=-1)"
FAULTS = [
    fault("left for right", "(4, 1, 0), (4, -1", "(4, -1, 0), (4, 1",
          "movement numbers",
          "shift"),
    fault("axes swapped", GROUPS, "(4, 0, 1), (4, 0, -1), (4, 1, 0), (4, -1, 0)",
          "movement numbers", "shift"),
    fault("one step too far", "(4, 1, 0)", "(4, 2, 0)", "movement numbers", "shift"),
    fault("clamp for keep", 'edge="keep"', 'edge="clamp"', "movement numbers", "shift",
          TWO),
    fault("roll for keep", 'edge="keep"', 'edge="wrap"', "movement numbers", "shift"),
    fault("channels permuted", MOVED, "        return torch.cat(moved[::-1], dim=-1)",
          "movement numbers", "shift"),
    fault("cascade in place", MOVED,
          "        y = x_BHWC.clone()\n"
          "        y[:, :, 1:, :4] = y[:, :, :-1, :4].clone()\n"
          "        y[:, :, 2:, :4] = y[:, :, 1:-1, :4].clone()\n"
          "        return y", "movement numbers", "shift"),
    fault("wrong gradient", MOVED,
          "        y = torch.cat(moved, dim=-1)\n"
          "        return y.detach() + x_BHWC - x_BHWC.detach()", "movement", "shift"),
    fault("no residual", "        x = x + y\n        y = self.linear3",
          "        x = y\n        y = self.linear3", "structure numbers", "linear3"),
    fault("norm first", NORM_LAST + FORWARD + "        y = self.linear2(y)\n"
          "        y = self.norm1(y)\n",
          "        y = self.norm1(x)\n        y = self.linear1(y)\n" + FORWARD
          + "        y = self.linear2(y)\n", "structure numbers", "stack.0"),
    fault("statement missing", "        y = self.gelu1(y)\n", "", "structure numbers",
          "gelu1"),
    fault("statement twice", FORWARD, "        y = self.gelu1(y)\n" + FORWARD,
          "structure numbers", "stack.0"),
    fault("no bias", "self.linear2 = nn.Linear(16, 16)",
          "self.linear2 = nn.Linear(16, 16, bias=False)", "parameters numbers",
          "linear2"),
    Fault("too narrow", (("nn.Linear(16, 64)", "nn.Linear(16, 32)"),
                         ("nn.Linear(64, 16)", "nn.Linear(32, 16)")),
          "shapes macs parameters numbers", "linear3"),
    fault("stray parameter", "        self.pool = MeanPool()\n",
          "        self.pool = MeanPool()\n"
          "        self.spare = nn.Parameter(torch.zeros(3))\n", "parameters", "spare"),
    fault("frozen bias", "        self.head = nn.Linear(16, 5)\n",
          "        self.head = nn.Linear(16, 5)\n"
          "        self.head.bias.requires_grad_(False)\n", "parameters", "head"),
    fault("tanh gelu", "self.gelu2 = nn.GELU()",
          'self.gelu2 = nn.GELU(approximate="tanh")', "numbers", "gelu2"),
    fault("maximum for mean", "x_BHWC.mean(dim=(1, 2))", "x_BHWC.amax(dim=(1, 2))",
          "numbers", "pool"),
    fault("other eps", "self.norm1 = nn.LayerNorm(16)",
          "self.norm1 = nn.LayerNorm(16, eps=1e-3)", "numbers", "norm1"),
    fault("patch flattened by rows", ".permute(0, 1, 3, 5, 2, 4)",
          ".permute(0, 1, 3, 2, 4, 5)", "numbers", "stem"),
    fault("computed twice", "return super().forward(patches",
          "return super().forward(patches.reshape(batch, rows, columns, -1)) / 2 "
          "+ super().forward(patches.reshape(batch, rows, columns, -1)) / 2 "
          "if batch else (patches", "macs", "stem"),
    fault("positions kept", "x_BHWC.mean(dim=(1, 2))",
          "x_BHWC.mean(dim=(1, 2), keepdim=True)", "shapes numbers", "pool"),
    fault("one iteration too few", "range(2)", "range(1)",
          "structure parameters numbers", "stack.1"),
]  # fmt: skip


def checks(one: Fault) -> dict[str, Check]:
    source = one.program.source()
    text = source.text
    for old, new in one.edits:
        assert old in text, f"nothing to edit: {old!r}"
        text = text.replace(old, new, 1)
    namespace: dict[str, object] = {"__name__": "planted"}
    exec(text, namespace)
    made = namespace[source.model_class]
    assert callable(made)
    module = made()
    assert isinstance(module, nn.Module)
    return {check.name: check for check in verify_module(one.program, module)}


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.name)
def test_fault_is_caught_and_blamed(one: Fault) -> None:
    results = checks(one)
    assert set(results) == CHECKS
    failed = {name for name, check in results.items() if not check.passed}
    assert set(one.caught.split()) <= failed
    blamed = [f for name in failed for f in results[name].failures]
    named = [failure for failure in blamed if one.where in failure.statement]
    assert named, [failure.statement for failure in blamed]
    assert all(failure.message for failure in blamed)


def test_every_check_catches_something() -> None:
    assert {name for one in FAULTS for name in one.caught.split()} == CHECKS


def test_a_fault_points_into_the_spec() -> None:
    (one,) = [one for one in FAULTS if one.name == "clamp for keep"]
    (failure, *_) = checks(one)["movement"].failures
    assert failure.span is not None
    assert failure.span.source.name == "std:s2mlp"
    assert failure.span.text == "shift(via)"


@pytest.mark.parametrize("program", [PROGRAM, TWO], ids=["one step", "two steps"])
def test_the_module_itself_passes(program: s2.Program) -> None:
    results = verify_module(program, program.build())
    assert [check.name for check in results if not check.passed] == []
    assert {check.name for check in results} == CHECKS
