"""Calls of every size and shape, laid out as ruff lays them out."""

import random
import subprocess
import sys

from s2mlp_dsl.lower.formatting import Bracketed, assign, call_with, construct
from s2mlp_dsl.operators import Construct, PythonLiteral


def _literal(dice: random.Random, depth: int = 0) -> PythonLiteral:
    if depth < 3 and dice.random() < 0.5:
        return tuple(
            _literal(dice, depth + 1) for _ in range(dice.randint(depth > 0, 4))
        )
    return dice.choice([1, 384, -2, 1e-05, True, "keep", 123456])


def _value(dice: random.Random) -> Bracketed:
    if dice.random() < 0.3:
        name = "B" * dice.randint(5, 43)
        runs = [f"*[{name}() for _ in range({dice.randint(2, 9999)})]", f"{name}()"]
        return Bracketed(
            "nn.Sequential", tuple(dice.choices(runs, k=dice.randint(1, 5)))
        )
    callee = dice.choice(["nn.Linear", "SpatialShift", "A" * dice.randint(5, 43)])
    args = tuple(_literal(dice) for _ in range(dice.randint(0, 3)))
    keywords = tuple((f"k{n}", _literal(dice)) for n in range(dice.randint(0, 3)))
    return construct(Construct(callee, args, keywords))


def test_ruff_would_change_nothing() -> None:
    dice = random.Random(0)
    lines = ["class A:", "    def __init__(self, x):"]
    for _ in range(2500):
        target = "self." + "a" * dice.choice([3, *range(30, 100)])
        lines += assign(target, _value(dice), 8)
        lines += call_with("y", target, "x", 8)
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"],
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[:2000] + done.stderr
