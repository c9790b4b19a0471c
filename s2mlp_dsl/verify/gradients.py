"""The expected gradients of all backends, against differences of the reference."""

from collections.abc import Mapping

import numpy as np

from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.reference import Array
from s2mlp_dsl.verify.workload import Expected, Workload, reference_result

TOLERANCE = 1e-5  # of the gradient along a random direction
DIRECTIONS = 2
# A kink, as of ReLU, between the two ends is an error that shrinks with the step, and
# rounding one that grows; a wrong gradient is wrong at each of them.
STEPS = (1e-6, 1e-7, 1e-8, 1e-9)


def check_gradients(workload: Workload, seed: int) -> list[Check]:
    """Central differences along directions through everything, in each mode."""
    random = np.random.default_rng(seed)
    modes = (False, True) if workload.has_two_modes else (False,)
    return [_check(workload, training, random) for training in modes]


def _check(workload: Workload, training: bool, random: np.random.Generator) -> Check:
    expected = workload.modes[training]
    errors = [_error(workload, expected, training, random) for _ in range(DIRECTIONS)]
    worst = max(errors)
    name, mode = workload.program.model.name, " in training" if training else ""
    failures = []
    if not worst <= TOLERANCE:
        message = f"gradients{mode} are off by {worst:.2g} of the differences"
        failures.append(Failure(statement=name, message=message))
    return Check(
        name=f"gradients{mode}",
        what=f"gradients{mode} in float64 equal differences of the reference",
        cases=DIRECTIONS,
        inputs=(workload.x.shape,),
        worst=worst,
        at=name,
        tolerance=TOLERANCE,
        failures=tuple(failures),
    )


def _error(
    workload: Workload,
    expected: Expected,
    training: bool,
    random: np.random.Generator,
) -> float:
    """Along one direction, at the step where it is least.

    Each tensor moves in proportion to its size, so that no layer moves more values
    across their kinks than the others.
    """
    along = {
        key: random.standard_normal(value.shape) * np.sqrt(np.square(value).mean())
        for key, value in workload.weights.items()
        if key in expected.gradients
    }
    directions = {"": random.standard_normal(workload.x.shape), **along}
    parts = [
        float((expected.gradients[key].numpy() * direction).sum())
        for key, direction in directions.items()
    ]
    scale = float(np.sqrt(np.square(parts).sum())) or 1.0
    error = float("inf")
    for step in STEPS:
        found = _slope(workload, training, step, directions)
        error = min(error, abs(found - sum(parts)) / scale)
        if error <= TOLERANCE:
            break
    return error


def _slope(
    workload: Workload, training: bool, step: float, directions: Mapping[str, Array]
) -> float:
    """The central difference of the reference, weighted by the upstream gradient."""
    ends = []
    for sign in (step, -step):
        moved = {"": workload.x, **workload.weights}
        moved |= {key: moved[key] + sign * one for key, one in directions.items()}
        changed: dict[str, Array] | None = {} if training else None
        y = reference_result(workload.program, moved.pop(""), moved, changed)
        ends.append(float((y * workload.upstream).sum()))
    return (ends[0] - ends[1]) / (2 * step)
