"""What backends run: images and weights, with the results that are expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.lower.export import size_step
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend
from s2mlp_dsl.verify.reference import (
    Array,
    has_buffers,
    run_reference,
    unit_gain_weights,
)

BATCHES = (1, 3)

Gradients = dict[str, Tensor]


@dataclass(frozen=True)
class Expected:
    """The results of the images in one mode.

    `gradients` are those of the module in float64, by name, the image's under the empty
    one; `buffers` are the new values after one step of training.
    """

    result: Array
    gradients: Gradients
    buffers: Mapping[str, Array]


@dataclass(frozen=True)
class Workload:
    """A program with weights, images `x`, and the results that are expected.

    `upstream` is the gradient of the results, `taller` another image with its result;
    `modes` has what is expected by whether the model is in training.
    """

    program: Program
    weights: Mapping[str, Array]
    x: Array
    upstream: Array
    taller: tuple[Array, Array] | None
    modes: Mapping[bool, Expected]

    @property
    def has_two_modes(self) -> bool:
        return self.modes[True] is not self.modes[False]

    def module(self, backend: Backend | None, dtype: torch.dtype) -> nn.Module:
        """The module that a backend runs, or the program's own, with the weights."""
        return _module(self.program, self.weights, backend).to(dtype)


def make_workload(program: Program, seed: int) -> Workload:
    """Random images and weights of unit gain. Without buffers both modes are one."""
    random = np.random.default_rng(seed + 1)
    weights = unit_gain_weights(program.model, seed)
    x = random.standard_normal((max(BATCHES), *program.model.input_size))
    result = reference_result(program, x, weights)
    upstream = random.standard_normal(result.shape)
    taller = _taller(program, weights, random)

    def expected(result: Array, buffers: Mapping[str, Array] | None) -> Expected:
        net = _module(program, weights, None).train(buffers is not None)
        leaf = torch.from_numpy(x.copy()).requires_grad_()
        torch.autograd.backward(net(leaf), torch.from_numpy(upstream))
        return Expected(result, dict(_gradients(net, leaf)), buffers or {})

    evaluation = training = expected(result, None)
    if has_buffers(program.model):
        buffers: dict[str, Array] = {}
        result = reference_result(program, x, weights, buffers)
        training = expected(result, buffers)
    modes = {False: evaluation, True: training}
    return Workload(program, weights, x, upstream, taller, modes)


def reference_result(
    program: Program,
    x: Array,
    weights: Mapping[str, Array],
    changed: dict[str, Array] | None = None,
) -> Array:
    """The model's result by the reference; in training with `changed`."""
    output = dataflow(program.model).graph["output"]
    results = dict(run_reference(program.model, x, weights, changed))
    return results.get(output, x)


def _gradients(net: nn.Module, leaf: Tensor) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in ("", leaf), *net.named_parameters():
        yield name, torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def _module(
    program: Program, weights: Mapping[str, Array], backend: Backend | None
) -> nn.Module:
    """In float64."""
    net = backend.build(program) if backend else program.build()
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    net.double().load_state_dict(state)
    return net


def _taller(
    program: Program, weights: Mapping[str, Array], random: np.random.Generator
) -> tuple[Array, Array] | None:
    """An image one step higher, where no operator is bound to its positions."""
    *_, height, width = size = program.model.input_size
    step = size_step(program.model, "height")
    # A fold is lowered for the sides that it was written for.
    kinds = {type(part).__name__ for part in program.build().modules()}
    if step is None or len(size) > 3 or "Rearrange" in kinds:
        return None
    x = random.standard_normal((2, size[0], height + step, width))
    try:
        return x, reference_result(program, x, weights)
    except (ValueError, IndexError):
        return None
