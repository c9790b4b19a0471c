"""The gradients that all forms are held to, against differences of the reference."""

from collections.abc import Mapping

import numpy as np

from s2mlp_dsl.verify.case import Case, Truth, result_of
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.reference import Array

TOLERANCE = 1e-5  # of the gradient along a random direction
DIRECTIONS = 2
# A kink, as of ReLU, between the two ends is an error that falls with the step, and
# rounding one that grows; a gradient that is wrong is wrong at each of them.
STEPS = (1e-6, 1e-7, 1e-8, 1e-9)


def check_differences(case: Case, seed: int) -> list[Check]:
    """Central differences along directions through everything, in each mode."""
    random = np.random.default_rng(seed)
    modes = (False, True) if case.has_two_modes else (False,)
    return [_check(case, one, random) for one in modes]


def _check(case: Case, training: bool, random: np.random.Generator) -> Check:
    truth = case.modes[training]
    worst = max(_error(case, truth, training, random) for _ in range(DIRECTIONS))
    name, mode = case.program.model.name, " in training" if training else ""
    failures = []
    if not worst <= TOLERANCE:
        message = f"gradients{mode} are off by {worst:.2g} of the differences"
        failures.append(Failure(statement=name, message=message))
    return Check(
        name=f"gradients{mode}",
        what=f"gradients{mode} in float64 equal differences of the reference",
        cases=DIRECTIONS,
        worst=worst,
        at=name,
        tolerance=TOLERANCE,
        failures=tuple(failures),
    )


def _error(
    case: Case, truth: Truth, training: bool, random: np.random.Generator
) -> float:
    """Along one direction, at the step where it is least.

    Each tensor moves in proportion to its size, so that no layer moves more values
    across their kinks than the others.
    """
    along = {
        key: random.standard_normal(value.shape) * np.sqrt(np.square(value).mean())
        for key, value in case.weights.items()
        if key in truth.gradients
    }
    of_x = random.standard_normal(case.x.shape)
    parts = [float((truth.gradients[""].numpy() * of_x).sum())]
    parts += [float((truth.gradients[k].numpy() * v).sum()) for k, v in along.items()]
    scale = float(np.sqrt(np.square(parts).sum())) or 1.0
    error = float("inf")
    for step in STEPS:
        found = _slope(case, training, step, of_x, along)
        error = min(error, abs(found - sum(parts)) / scale)
        if error <= TOLERANCE:
            break
    return error


def _slope(
    case: Case, training: bool, step: float, of_x: Array, along: Mapping[str, Array]
) -> float:
    """The central difference of the reference, as `back` weighs its results."""
    ends = []
    for sign in (step, -step):
        moved = dict(case.weights)
        moved |= {key: moved[key] + sign * one for key, one in along.items()}
        x = case.x + sign * of_x
        y = result_of(case.program, x, moved, {} if training else None)
        ends.append(float((y * case.back).sum()))
    return (ends[0] - ends[1]) / (2 * step)
