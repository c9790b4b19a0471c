"""Every backend against the reference: results, gradients and buffers.

Results and buffers are compared with the reference in NumPy, gradients with those of
the module in float64, which are themselves compared with differences of the reference.
Errors are relative: of a result or a buffer to its largest value, of a gradient to its
norm (in bfloat16 that of all gradients together).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import BACKENDS, Backend
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.gradients import check_gradients
from s2mlp_dsl.verify.locate import first_wrong
from s2mlp_dsl.verify.trials import BackendFailed, Outcome, Trial, outcomes, rounded
from s2mlp_dsl.verify.workload import Gradients, Workload, make_workload

# bfloat16 keeps eight bits.
TOLERANCES = {
    torch.float32: {"values": 1e-4, "gradients": 1e-3, "buffers": 1e-5},
    torch.bfloat16: {"values": 0.1, "gradients": 0.2, "buffers": 0.1},
}
ROUNDING = 4  # times what rounding alone does to gradients
LEAST = 1e-3  # of the norm of all gradients: what a smaller one is compared with
UNDECIDED = 0.5  # of a gradient: where rounding does more, a comparison says nothing

_WHAT = {
    "values": "results in {} equal the reference's",
    "gradients": "gradients in {} equal those in float64",
    "buffers": "buffers in {} after a step equal the reference's",
}
_ALL = "all gradients"


def check_backends(program: Program, names: Sequence[str], seed: int) -> list[Check]:
    """The checks of each backend, after those of the expected gradients."""
    workload = make_workload(program, seed)
    checks = check_gradients(workload, seed + 2)
    for name in names:
        checks += _check_backend(workload, BACKENDS[name](name))
    return checks


def _check_backend(workload: Workload, backend: Backend) -> Iterator[Check]:
    comparisons: dict[tuple[torch.dtype, bool], _Comparison] = {}
    for trial, outcome in outcomes(workload, backend):
        setting = trial.dtype, trial.training and workload.has_two_modes
        if setting not in comparisons:
            comparisons[setting] = _Comparison(workload, backend, *setting)
        comparisons[setting].add(trial, outcome)
    for comparison in comparisons.values():
        yield from comparison.checks()
    if backend.no_bfloat16:
        comparison = _Comparison(workload, backend, torch.bfloat16, False)
        yield comparison.omitted("values", f"not done: {backend.no_bfloat16}")


@dataclass
class _Worst:
    """The largest error of one kind, and where it is.

    `failed` is the first thing that was raised in place of a result.
    """

    error: float = 0.0
    at: str = ""
    cases: int = 0
    failed: BackendFailed | None = None

    def add(self, error: float, at: str) -> None:
        self.cases += 1
        if not error <= self.error:
            self.error, self.at = error, at


class _Comparison:
    """A backend in one dtype and one mode."""

    def __init__(
        self, workload: Workload, backend: Backend, dtype: torch.dtype, training: bool
    ) -> None:
        self.workload, self.backend = workload, backend
        self.dtype, self.training = dtype, training
        self.worst = {kind: _Worst() for kind in _WHAT}
        self.inputs: dict[tuple[int, ...], None] = {}
        self.with_gradients: Trial | None = None

    def add(self, trial: Trial, outcome: Outcome | BackendFailed) -> None:
        """Compare the outcome of a trial with what is expected."""
        self.inputs[trial.x.shape] = None
        values = self.worst["values"]
        if isinstance(outcome, BackendFailed):
            values.failed, values.error = values.failed or outcome, float("inf")
            return
        output = dataflow(self.workload.program.model).graph["output"]
        values.add(_relative(outcome.y, torch.from_numpy(trial.wanted)), output)
        if trial.upstream is not None:
            self.with_gradients = trial
            self._add_gradients(outcome.gradients, trial.training)
            for key, wanted in self.workload.modes[trial.training].buffers.items():
                error = _relative(outcome.buffers[key], torch.as_tensor(wanted))
                self.worst["buffers"].add(error, key.rpartition(".")[0])

    def _add_gradients(self, made: Gradients, training: bool) -> None:
        model = self.workload.program.model
        exact = self.workload.modes[training].gradients
        made = {key: made[key] for key in exact}
        everything = _concatenated(exact)
        # The gradient of what a norm behind it removes again is only rounding.
        least = LEAST * float(torch.linalg.vector_norm(everything))
        if self.dtype != torch.float32:
            # A small gradient alone drowns in the rounding.
            made, exact = {_ALL: _concatenated(made)}, {_ALL: everything}
        for key, gradient in made.items():
            off = torch.linalg.vector_norm(gradient.double() - exact[key])
            size = torch.linalg.vector_norm(exact[key]).clamp_min(least or 1e-30)
            first = model.name if key == _ALL else model.input.name
            at = key.rpartition(".")[0] or first
            self.worst["gradients"].add(float(off / size), at)

    def checks(self) -> Iterator[Check]:
        for kind, worst in self.worst.items():
            # Results are always compared; not every backend has the others.
            if worst.cases or kind == "values":
                yield self._check(kind, worst)

    def omitted(self, kind: str, reason: str) -> Check:
        name, what = self._name(kind), self._what(kind)
        return Check(name=name, what=what, cases=0, omitted=reason)

    def _check(self, kind: str, worst: _Worst) -> Check:
        tolerance = self._tolerance(kind)
        if worst.error <= tolerance and tolerance > UNDECIDED:
            share = f"{tolerance / ROUNDING:.0%}"
            reason = (
                f"undecided: rounding to {self._dtype} alone changes them by {share}"
            )
            return self.omitted(kind, reason)
        wrong = not worst.error <= tolerance
        return Check(
            name=self._name(kind),
            what=self._what(kind),
            cases=worst.cases,
            inputs=tuple(self.inputs),
            worst=worst.error,
            at=worst.at or self.workload.program.model.name,
            tolerance=tolerance,
            failures=(self._blame(kind, worst),) if wrong else (),
        )

    def _tolerance(self, kind: str) -> float:
        """As stated, or as rounding alone makes it.

        Near a kink, as of ReLU, rounding moves values across it, and the gradient
        jumps; behind many batch norms that is most of it.
        """
        stated, trial = TOLERANCES[self.dtype][kind], self.with_gradients
        if kind != "gradients" or self.worst[kind].error <= stated or not trial:
            return stated
        alone = _Comparison(self.workload, self.backend, self.dtype, self.training)
        alone.add(trial, rounded(self.workload, trial))
        return max(stated, ROUNDING * alone.worst[kind].error)

    def _blame(self, kind: str, worst: _Worst) -> Failure:
        model, failed = self.workload.program.model, worst.failed
        message = str(failed) if failed else f"{kind} are off by {worst.error:.3g}"
        path, code = worst.at or model.name, failed.code if failed else None
        if failed and code:
            path = failed.statement or model.name
        else:
            net = self.workload.module(self.backend, self.dtype)
            net = net.to(self.backend.device).train(self.training)
            tolerance = TOLERANCES[self.dtype]["values"]
            found = first_wrong(model, self.backend, net, tolerance)
            path, message = found or (path, message)
        graph = dataflow(model)
        span = graph.nodes[path]["span"] if path in graph else model.span
        message = f"as {self.backend.label}: {message}"
        return Failure(statement=path, message=message, code=code, span=span)

    @property
    def _dtype(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    def _name(self, kind: str) -> str:
        mode = " in training" if self.training else ""
        dtype = "" if self.dtype == torch.float32 else f" {self._dtype}"
        return f"{self.backend.label} {kind}{mode}{dtype}"

    def _what(self, kind: str) -> str:
        return _WHAT[kind].format(self._dtype)


def _concatenated(gradients: Gradients) -> Tensor:
    parts = [gradients[key].flatten().double() for key in sorted(gradients)]
    return torch.cat(parts)


def _relative(found: Tensor, wanted: Tensor) -> float:
    off = (found.double() - wanted).abs().max()
    return float(off / wanted.abs().max().clamp_min(1e-30))
