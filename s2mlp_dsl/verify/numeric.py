"""Numbers: the module in float64 against the reference, statement by statement."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.reference import run_reference, unit_gain_weights

TOLERANCE = 1e-9  # relative, float64; rounding alone stays near 1e-13
BATCH = 2


def check_numbers(model: Model, module: nn.Module, seed: int = 0) -> Check:
    """Every statement's result on random images, with weights of unit gain.

    Module and reference advance together: a hook on each statement's module
    compares its output with the next value of the reference, so the first
    failure names the statement.
    """
    weights = unit_gain_weights(model, seed)
    image = model.input.result
    assert image.kind == "map"
    size = (BATCH, image.channels, image.height, image.width)
    x_BCHW = np.random.default_rng(seed + 1).standard_normal(size)
    module = copy.deepcopy(module).double().eval()
    comparison = _Comparison(model, run_reference(model, x_BCHW, weights))
    try:
        state = {name: torch.from_numpy(value) for name, value in weights.items()}
        module.load_state_dict(state, strict=True)
        comparison.watch(module)
        with torch.no_grad():
            result = module(torch.from_numpy(x_BCHW))
        comparison.finish(result)
    except _Stop:
        pass
    except Exception as error:  # whatever a wrong module raises is the finding
        comparison.fail(comparison.at, f"it does not run: {error}")
    return Check(
        name="numbers",
        what="results of every statement in float64 equal the reference's",
        cases=comparison.compared,
        worst=comparison.worst,
        tolerance=TOLERANCE,
        failures=tuple(comparison.failures),
    )


class _Stop(Exception):
    """The comparison has failed."""


class _Comparison:
    def __init__(self, model: Model, reference: Any) -> None:
        self.ops = dict(dataflow(model).nodes(data="op"))
        self.at = model.name
        self.reference = reference
        self.compared, self.worst = 0, 0.0
        self.failures: list[Failure] = []
        self.last: Tensor | None = None

    def watch(self, module: nn.Module) -> None:
        for path, part in module.named_modules():
            if self.ops.get(path) is not None:
                part.register_forward_hook(self._hook(path))

    def _hook(self, path: str) -> Any:
        def compare(part: nn.Module, args: Any, output: Tensor) -> None:
            self.at = path
            expected_path, expected = next(self.reference, (None, None))
            if expected_path != path:
                self.fail(path, f"runs where {expected_path} should")
                raise _Stop
            self._close(path, output, expected)

        return compare

    def _close(self, path: str, output: Tensor, expected: Any) -> None:
        found = output.detach().numpy()
        if found.shape != expected.shape:
            self.fail(path, f"leaves {found.shape}, not {expected.shape}")
            raise _Stop
        error = float(np.abs(found - expected).max() / np.abs(expected).max())
        self.compared += 1
        self.worst = max(self.worst, error)
        if not error <= TOLERANCE:
            self.fail(path, f"off by {error:.3g} of the largest value")
            raise _Stop
        self.last = output

    def finish(self, result: Tensor) -> None:
        """Nothing of the reference is left, and its last value is the result."""
        left = next(self.reference, None)
        if left is not None:
            self.fail(left[0], "never runs")
        elif self.last is None or not torch.equal(result, self.last):
            self.fail(self.at, "is last, but its result is not the model's")

    def fail(self, path: str, message: str) -> None:
        op = self.ops.get(path)
        self.failures.append(
            Failure(statement=path, message=message, span=op.span if op else None)
        )
