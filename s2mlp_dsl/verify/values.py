"""Values: the module in float64 against the reference, statement by statement."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.verify.certificate import Check, Failure, failure
from s2mlp_dsl.verify.figures import rows_of
from s2mlp_dsl.verify.reference import (
    Array,
    has_buffers,
    run_reference,
    unit_gain_weights,
)

TOLERANCE = 1e-9  # relative, float64; rounding alone stays near 1e-13
BATCH = 2


def check_values(model: Model, module: nn.Module, seed: int) -> list[Check]:
    """Every statement's result on random images, with weights of unit gain.

    Module and reference advance together: a hook on each statement's module compares
    its output with the next value of the reference, so the first failure names the
    statement. A model with buffers is run in training too, and their new values are
    compared.
    """
    modes = (False, True) if has_buffers(model) else (False,)
    return [_check(model, module, seed, training) for training in modes]


def _check(model: Model, module: nn.Module, seed: int, training: bool) -> Check:
    weights = unit_gain_weights(model, seed)
    size = (BATCH, *model.input_size)
    x_BCHW = np.random.default_rng(seed + 1).standard_normal(size)
    changed: dict[str, Array] = {}
    reference = run_reference(model, x_BCHW, weights, changed if training else None)
    comparison = _Comparison(model, reference, changed)
    try:
        module = copy.deepcopy(module).double().train(training)
        module.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        comparison.watch(module)
        given = torch.from_numpy(x_BCHW.copy())
        with torch.no_grad():
            result = module(given)
        comparison.finish(result)
        if not np.array_equal(given.numpy(), x_BCHW):
            comparison.fail(model.input.name, "it changes the caller's image")
    except _Stop:
        pass
    except Exception as error:  # any error of a wrong module is the finding
        comparison.fail(comparison.at, f"it does not run: {error}")
    what = "results of every statement in float64 equal the reference's"
    return Check(
        name="values in training" if training else "values",
        what=f"{what} in training, and buffers" if training else what,
        cases=comparison.cases,
        inputs=(size,),
        worst=comparison.worst,
        tolerance=TOLERANCE,
        failures=tuple(comparison.failures),
    )


class _Stop(Exception):
    """The comparison has failed."""


class _Comparison:
    """`at` is the statement that ran last; `worst` the largest relative error.

    `changed` has the buffers that the reference has computed so far.
    """

    def __init__(
        self,
        model: Model,
        reference: Iterator[tuple[str, Array]],
        changed: Mapping[str, Array],
    ) -> None:
        self.graph, self.changed = dataflow(model), changed
        self.at: str = model.name
        self.reference = reference
        self.expected: Array | None = None
        self.cases, self.worst = 0, 0.0
        self.failures: list[Failure] = []

    def watch(self, module: nn.Module) -> None:
        for path, part in module.named_modules():
            if path in self.graph:
                part.register_forward_hook(self._hook(path))

    def _hook(self, path: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def compare(part: nn.Module, args: Any, output: Tensor) -> None:
            self.at = path
            expected_path = self._advance()
            if expected_path != path:
                self._stop(path, f"runs where {expected_path or 'the end'} should")
            self._compare(path, output, self.expected, "")
            for name, buffer in part.named_buffers():
                if f"{path}.{name}" in self.changed:
                    wanted = self.changed[f"{path}.{name}"]
                    self._compare(path, buffer, wanted, f"{name}: ")

        return compare

    def _advance(self) -> str | None:
        """The next statement of the reference; the sums before it are no modules."""
        for path, value in self.reference:
            self.expected = value
            if self.graph.nodes[path]["op"] is not None:
                return path
        return None

    def _compare(
        self, path: str, output: Tensor, expected: Array | None, what: str
    ) -> None:
        found = output.detach().numpy()
        assert expected is not None
        if found.shape == rows_of(expected.shape):
            found = found.reshape(expected.shape)
        if found.shape != expected.shape:
            message = f"{what}its shape is {found.shape}, not {expected.shape}"
            self._stop(path, message)
        # A map of zeros has no scale of its own.
        error = float(np.abs(found - expected).max() / (np.abs(expected).max() or 1.0))
        self.cases += 1
        self.worst = float(np.maximum(self.worst, error))
        if not error <= TOLERANCE:
            self._stop(path, f"{what}off by {error:.3g} of the largest value")

    def finish(self, result: Tensor) -> None:
        """Nothing of the reference is left, and its last value is the result."""
        left = self._advance()
        if left is not None:
            self._stop(left, "never runs")
        output = self.graph.graph["output"]
        self._compare(output, result, self.expected, "the model's result: ")

    def _stop(self, path: str, message: str) -> None:
        self.fail(path, message)
        raise _Stop

    def fail(self, path: str, message: str) -> None:
        self.failures.append(failure(self.graph, path, message))
