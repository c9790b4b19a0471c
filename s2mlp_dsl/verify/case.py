"""What every form of a program is held to: images, weights, and what comes of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.lower.export import size_step
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.forms import built
from s2mlp_dsl.verify.reference import (
    Array,
    has_buffers,
    run_reference,
    unit_gain_weights,
)

BATCHES = (1, 3)

Gradients = dict[str, Tensor]


@dataclass(frozen=True)
class Truth:
    """What comes of the images in one mode.

    `gradients` are of the module in float64, by name, that of the image under the
    empty one; `buffers` is what training makes of them in one step.
    """

    result: Array
    gradients: Gradients
    buffers: Mapping[str, Array]


@dataclass(frozen=True)
class Case:
    """A program with weights, images, and what must come of them.

    `back` is the gradient of the results, `taller` another image with its result,
    `modes` the truth by whether it is one of training.
    """

    program: Program
    weights: Mapping[str, Array]
    x: Array
    back: Array
    taller: tuple[Array, Array] | None
    modes: Mapping[bool, Truth]

    @property
    def has_two_modes(self) -> bool:
        return self.modes[True] is not self.modes[False]

    def module(self, form: str | None, dtype: torch.dtype) -> nn.Module:
        """What a form is made of, with the weights."""
        return _module(self.program, self.weights, form).to(dtype)


def case_of(program: Program, seed: int) -> Case:
    """Random images and weights of unit gain. Both modes are one without buffers."""
    random = np.random.default_rng(seed + 1)
    weights = unit_gain_weights(program.model, seed)
    x = random.standard_normal((max(BATCHES), *program.model.input_size))
    wanted = result_of(program, x, weights)
    back = random.standard_normal(wanted.shape)
    taller = _taller(program, weights, random)
    evaluation = training = _truth(program, weights, x, back, wanted, None)
    if has_buffers(program.model):
        buffers: dict[str, Array] = {}
        wanted = result_of(program, x, weights, buffers)
        training = _truth(program, weights, x, back, wanted, buffers)
    modes = {False: evaluation, True: training}
    return Case(program, weights, x, back, taller, modes)


def result_of(
    program: Program,
    x: Array,
    weights: Mapping[str, Array],
    changed: dict[str, Array] | None = None,
) -> Array:
    """What the reference lets out of the model; in training with `changed`."""
    wanted = dataflow(program.model).graph["output"]
    last = x
    for path, value in run_reference(program.model, x, weights, changed):
        if path == wanted:
            last = value
    return last


def _truth(
    program: Program,
    weights: Mapping[str, Array],
    x: Array,
    back: Array,
    wanted: Array,
    buffers: Mapping[str, Array] | None,
) -> Truth:
    """In training where there are buffers."""
    net = _module(program, weights, None).double().train(buffers is not None)
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    torch.autograd.backward(net(leaf), torch.from_numpy(back))
    return Truth(wanted, dict(_gradients(net, leaf)), buffers or {})


def _gradients(net: nn.Module, leaf: Tensor) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in ("", leaf), *net.named_parameters():
        yield name, torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def _module(
    program: Program, weights: Mapping[str, Array], form: str | None
) -> nn.Module:
    net = built(program, form)
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    net.double().load_state_dict(state)
    return net


def _taller(
    program: Program, weights: Mapping[str, Array], random: np.random.Generator
) -> tuple[Array, Array] | None:
    """An image one step higher, where no operator is bound to its positions."""
    *_, height, width = size = list(program.model.input_size)
    step = size_step(program.model, "height")
    # A fold is lowered for the sides that it was written on.
    kinds = {type(part).__name__ for part in program.build().modules()}
    bound = "Rearrange" in kinds
    if step is None or len(size) > 3 or bound:
        return None
    x = random.standard_normal((2, size[0], height + step, width))
    try:
        return x, result_of(program, x, weights)
    except (ValueError, IndexError):
        return None
