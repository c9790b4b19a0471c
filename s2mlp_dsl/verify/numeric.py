"""Numbers: the module in float64 against the reference, statement by statement."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.figures import in_rows
from s2mlp_dsl.verify.reference import (
    Array,
    has_buffers,
    run_reference,
    unit_gain_weights,
)

TOLERANCE = 1e-9  # relative, float64; rounding alone stays near 1e-13
BATCH = 2


def check_numbers(model: Model, module: nn.Module, seed: int = 0) -> list[Check]:
    """Every statement's result on random images, with weights of unit gain.

    Module and reference advance together: a hook on each statement's module
    compares its output with the next value of the reference, so the first
    failure names the statement. A model with buffers is run in training too, and
    what becomes of them is compared.
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
        _load(module, weights)
        comparison.watch(module)
        given = torch.from_numpy(x_BCHW.copy())
        with torch.no_grad():
            result = module(given)
        comparison.finish(result)
        if not np.array_equal(given.numpy(), x_BCHW):
            comparison.fail(model.input.name, "the caller's image is changed")
    except _Stop:
        pass
    except Exception as error:  # whatever a wrong module raises is the finding
        comparison.fail(comparison.at, f"it does not run: {error}")
    said = "results of every statement in float64 equal the reference's"
    return Check(
        name="training" if training else "numbers",
        what=f"{said} in training, and buffers" if training else said,
        cases=comparison.compared,
        worst=comparison.worst,
        tolerance=TOLERANCE,
        failures=tuple(comparison.failures),
    )


def _load(module: nn.Module, weights: Mapping[str, Array]) -> None:
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    module.load_state_dict(state, strict=True)


class _Stop(Exception):
    """The comparison has failed."""


class _Comparison:
    """`at` is the statement that ran last; `worst` the largest relative error.

    `changed` has the buffers that the reference has come past, as they are then.
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
        self.last: Array | None = None
        self.compared, self.worst = 0, 0.0
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
            self._close(path, output, self.last, "")
            for name, buffer in part.named_buffers():
                if f"{path}.{name}" in self.changed:
                    wanted = self.changed[f"{path}.{name}"]
                    self._close(path, buffer, wanted, f"{name} ")

        return compare

    def _advance(self) -> str | None:
        """The next statement of the reference; sums on the way are no modules."""
        for path, value in self.reference:
            self.last = value
            if self.graph.nodes[path]["op"] is not None:
                return path
        return None

    def _close(
        self, path: str, output: Tensor, expected: Array | None, what: str
    ) -> None:
        found = output.detach().numpy()
        assert expected is not None
        if found.shape == in_rows(expected.shape):
            found = found.reshape(expected.shape)
        if found.shape != expected.shape:
            self._stop(path, f"{what}leaves {found.shape}, not {expected.shape}")
        # A map of zeros has no scale of its own.
        error = float(np.abs(found - expected).max() / (np.abs(expected).max() or 1.0))
        self.compared += 1
        self.worst = float(np.maximum(self.worst, error))
        if not error <= TOLERANCE:
            self._stop(path, f"{what}off by {error:.3g} of the largest value")

    def finish(self, result: Tensor) -> None:
        """Nothing of the reference is left, and its last value is the result."""
        left = self._advance()
        if left is not None:
            self._stop(left, "never runs")
        output = self.graph.graph["output"]
        self._close(output, result, self.last, "the model's result ")

    def _stop(self, path: str, message: str) -> None:
        self.fail(path, message)
        raise _Stop

    def fail(self, path: str, message: str) -> None:
        span = self.graph.nodes[path]["span"] if path in self.graph else None
        self.failures.append(Failure(statement=path, message=message, span=span))
