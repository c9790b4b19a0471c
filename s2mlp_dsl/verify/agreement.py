"""Every form of a model against the reference: results and gradients.

Results are held against the reference in NumPy, gradients against those of the
module in float64, which are themselves held against differences of the reference.
Errors are relative: of a result to its largest value, of a gradient to its norm (in
bfloat16 of all gradients together).
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.emit.export import steps
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.forms import (
    IN_BOTH_MODES,
    OF_ANY_SIZE,
    WITHOUT_GRADIENT,
    FormFailed,
    Run,
    form,
    run_alone,
)
from s2mlp_dsl.verify.narrow import first_wrong
from s2mlp_dsl.verify.reference import Array, run_reference, unit_gain_weights

BATCHES = (1, 3)
VALUES, GRADIENTS = 1e-4, 1e-3  # float32
BF16_VALUES, BF16_GRADIENTS = 0.1, 0.2  # bfloat16 keeps eight bits
LEAST = 1e-3  # of the norm of all gradients: what a small one is measured by
_ALL = "all gradients"
DIFFERENCES = 1e-5  # of the reference, along a random direction
# A kink, as of ReLU, between the two ends is an error that falls with the step, and
# rounding one that grows; a gradient that is wrong is wrong at each of them.
STEPS = (1e-6, 1e-7, 1e-8)
IN_BF16 = ("eager", "compile")
LOWERING = {"export": "select", "decomposed": "select", "onnx": "select"}

Gradients = dict[str, Tensor]


@dataclass
class Case:
    """A program with weights, images, and what must come of them."""

    program: Program
    weights: Mapping[str, Array]
    x: Array
    wanted: Array
    back: Array
    taller: tuple[Array, Array] | None  # another image and its result
    gradients: Gradients = field(default_factory=dict)

    def module(self, lowering: str | None, dtype: torch.dtype) -> nn.Module:
        net = self.program.build(lowering=lowering)  # type: ignore[arg-type]
        net.load_state_dict({k: torch.from_numpy(v) for k, v in self.weights.items()})
        return net.to(dtype)


def check_forms(program: Program, names: tuple[str, ...], seed: int = 0) -> list[Check]:
    """The checks of each form, after that of the gradients they are held to."""
    case, first = _case(program, seed)
    checks = [first]
    for name in names:
        checks += _form(case, name, torch.float32)
        if name in IN_BF16:
            checks += _form(case, name, torch.bfloat16)
    return checks


def _result(program: Program, x: Array, weights: Mapping[str, Array]) -> Array:
    wanted = dataflow(program.model).graph["output"]
    last = x
    for path, value in run_reference(program.model, x, weights):
        if path == wanted:
            last = value
    return last


def _case(program: Program, seed: int) -> tuple[Case, Check]:
    random = np.random.default_rng(seed + 1)
    weights = unit_gain_weights(program.model, seed)
    x = random.standard_normal((max(BATCHES), *program.model.input_size))
    wanted = _result(program, x, weights)
    back = random.standard_normal(wanted.shape)
    taller = _taller(program, weights, random)
    case = Case(program, weights, x, wanted, back, taller)
    net = case.module(None, torch.float64).eval()
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    torch.autograd.backward(net(leaf), torch.from_numpy(case.back))
    case.gradients = dict(_gradients(net, leaf))
    return case, _differences(case, random)


def _taller(
    program: Program, weights: Mapping[str, Array], random: np.random.Generator
) -> tuple[Array, Array] | None:
    """An image one step higher, where no operator is bound to its positions."""
    *_, height, width = size = list(program.model.input_size)
    step, _ = steps(program.model)
    # A fold is lowered for the sides that it was written on.
    kinds = {type(part).__name__ for part in program.build().modules()}
    bound = "Rearrange" in kinds
    if step is None or len(size) > 3 or bound:
        return None
    x = random.standard_normal((2, size[0], height + step, width))
    try:
        return x, _result(program, x, weights)
    except (ValueError, IndexError):
        return None


def _gradients(net: nn.Module, leaf: Tensor) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in ("", leaf), *net.named_parameters():
        yield name, torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def _differences(case: Case, random: np.random.Generator) -> Check:
    """Central differences of the reference along directions through everything."""
    worst = 0.0
    for _ in range(2):
        along = {
            key: random.standard_normal(value.shape)
            for key, value in case.weights.items()
            if key in case.gradients
        }
        of_x = random.standard_normal(case.x.shape)
        parts = [float((case.gradients[""].numpy() * of_x).sum())]
        parts += [
            float((case.gradients[k].numpy() * v).sum()) for k, v in along.items()
        ]
        scale = float(np.sqrt(np.square(parts).sum())) or 1.0
        error = float("inf")
        for step in STEPS:
            found = _slope(case, step, of_x, along)
            error = min(error, abs(found - sum(parts)) / scale)
            if error <= DIFFERENCES:
                break
        worst = max(worst, error)
    name = case.program.model.name
    failures = []
    if not worst <= DIFFERENCES:
        message = f"gradients are off by {worst:.2g} of the differences"
        failures.append(Failure(statement=name, message=message))
    return Check(
        name="gradients",
        what="gradients in float64 equal differences of the reference",
        cases=2,
        worst=worst,
        at=name,
        tolerance=DIFFERENCES,
        failures=tuple(failures),
    )


def _slope(case: Case, step: float, of_x: Array, along: Mapping[str, Array]) -> float:
    """The central difference of the reference, as `back` weighs its results."""
    ends = []
    for sign in (step, -step):
        moved = dict(case.weights)
        moved |= {key: moved[key] + sign * one for key, one in along.items()}
        y = _result(case.program, case.x + sign * of_x, moved)
        ends.append(float((y * case.back).sum()))
    return (ends[0] - ends[1]) / (2 * step)


def _form(case: Case, name: str, dtype: torch.dtype) -> list[Check]:
    """Results in `eval` and `train`, batches of one and three; then gradients."""
    full = dtype == torch.float32
    tolerance = (VALUES, GRADIENTS) if full else (BF16_VALUES, BF16_GRADIENTS)
    values, gradients = _Worst(), _Worst()
    try:
        # What a batch norm does in training is not what the reference computes.
        both = name in IN_BOTH_MODES and case.weights.keys() <= case.gradients.keys()
        for training in (False, True) if both else (False,):
            _compare(case, name, dtype, training, values, gradients)
    except Exception as error:  # whatever a wrong form raises is the finding
        reason = str(error) if isinstance(error, FormFailed) else repr(error)
        values.error, values.broken = float("inf"), reason.strip().splitlines()[0]
    kind = "float32" if full else "bfloat16"
    model = case.program.model.name
    found = [("values", f"results in {kind} equal the reference's", values, 0)]
    if gradients.cases:
        what = f"gradients in {kind} equal those in float64"
        found.append(("gradients", what, gradients, 1))
    return [
        Check(
            name=f"{name} {what}" if full else f"{name} {what} {kind}",
            what=text,
            cases=worst.cases,
            worst=worst.error,
            at=worst.at or model,
            tolerance=tolerance[which],
            failures=tuple(_blame(case, name, worst, tolerance[which])),
        )
        for what, text, worst, which in found
    ]


@dataclass
class _Worst:
    error: float = 0.0
    at: str = ""
    cases: int = 0
    broken: str = ""

    def add(
        self, found: Tensor, wanted: Tensor, at: str, *, norm: bool, least: float = 0
    ) -> None:
        self.cases += 1
        off = (found.double() - wanted).flatten()
        size = torch.linalg.vector_norm if norm else _largest
        error = float(size(off) / size(wanted.flatten()).clamp_min(least or 1e-30))
        if not error <= self.error:
            self.error, self.at = error, at


def _largest(values: Tensor) -> Tensor:
    return values.abs().max()


def _compare(
    case: Case,
    name: str,
    dtype: torch.dtype,
    training: bool,
    values: _Worst,
    gradients: _Worst,
) -> None:
    net = case.module(LOWERING.get(name), dtype).train(training)
    run = None if name == "emitted" else form(name, case.program, net)
    net.train(training)  # exporting sets it
    model = case.program.model
    output = dataflow(model).graph["output"]
    # The emitted file is the text that `eager` runs: once is enough to see that.
    batches = BATCHES[-1:] if training or name == "emitted" else BATCHES
    for batch in batches:
        leaf = torch.from_numpy(case.x[:batch].copy()).to(dtype).requires_grad_()
        whole = batch == len(case.x) and name not in WITHOUT_GRADIENT
        back = torch.from_numpy(case.back).to(dtype) if whole else None
        y, made = _run(case, run, net, leaf, back)
        wanted = torch.from_numpy(case.wanted[:batch])
        if y.shape != wanted.shape:
            raise FormFailed(f"{tuple(y.shape)} leaves, not {tuple(wanted.shape)}")
        values.add(y.detach(), wanted, output, norm=False)
        exact = case.gradients
        if made and dtype != torch.float32:
            made, exact = _together(made), _together(exact)
        # What a norm behind it takes out again has no gradient but rounding.
        least = LEAST * float(torch.linalg.vector_norm(_together(exact)[_ALL]))
        for key, gradient in made.items():
            first = model.name if key == _ALL else model.input.name
            at = key.rpartition(".")[0] or first
            gradients.add(gradient, exact[key], at, norm=True, least=least)
    if name in OF_ANY_SIZE and case.taller is not None and run is not None:
        x, expected = case.taller
        with torch.no_grad():
            y = run(torch.from_numpy(x.copy()).to(dtype))
        values.add(y, torch.from_numpy(expected), output, norm=False)


def _run(
    case: Case, run: Run | None, net: nn.Module, leaf: Tensor, back: Tensor | None
) -> tuple[Tensor, Gradients]:
    if run is None:
        y, made = run_alone(case.program, net, leaf, back)
        return y, made if back is not None else {}
    if back is None:
        with torch.no_grad():
            return run(leaf.detach()), {}
    # An exported module has copies of the parameters under the same names.
    owner = run if isinstance(run, nn.Module) else net
    owner.zero_grad()
    y = run(leaf)
    torch.autograd.backward(y, back)
    names = {name.removeprefix("_orig_mod."): p for name, p in owner.named_parameters()}
    made = {"": leaf, **names}
    return y, {
        name: torch.zeros_like(one) if one.grad is None else one.grad
        for name, one in made.items()
        if name in case.gradients
    }


def _together(gradients: Gradients) -> Gradients:
    """All gradients as one: a small one alone drowns in the rounding of bfloat16."""
    parts = [gradients[key].flatten().double() for key in sorted(gradients)]
    return {_ALL: torch.cat(parts)}


def _blame(case: Case, name: str, worst: _Worst, tolerance: float) -> list[Failure]:
    if worst.error <= tolerance:
        return []
    message = worst.broken or f"off by {worst.error:.3g}"
    net = copy.deepcopy(case.module(LOWERING.get(name), torch.float32)).eval()
    found = first_wrong(case.program.model, name, net)
    path, reason = found or (worst.at or case.program.model.name, "")
    graph = dataflow(case.program.model)
    span = graph.nodes[path]["span"] if path in graph else None
    said = f"as {name}: {reason or message}"
    return [Failure(statement=path, message=said, span=span)]
