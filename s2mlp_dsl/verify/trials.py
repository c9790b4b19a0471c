"""A backend at work: what it is run on, and the outcome."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.export import reason_of
from s2mlp_dsl.verify.backends import Backend
from s2mlp_dsl.verify.reference import Array
from s2mlp_dsl.verify.workload import BATCHES, Gradients, Workload

if TYPE_CHECKING:
    from s2mlp_dsl.verify.backends import Run


class BackendFailed(Exception):
    """The backend cannot be made of this program, or does not run.

    `code` is that of the diagnostic where a target cannot express the model, and
    `statement` the one to blame.
    """

    def __init__(
        self, message: str, code: str | None = None, statement: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.statement = code, statement

    @classmethod
    def of(cls, error: Exception) -> "BackendFailed":
        if isinstance(error, cls):
            return error
        if isinstance(error, CannotLower):
            (one,) = error.diagnostics
            return cls(one.primary.text, one.code.number, error.statement)
        return cls(reason_of(error))


@dataclass(frozen=True)
class Trial:
    """A batch of images in one mode, the expected result, and the gradient of that."""

    dtype: torch.dtype
    training: bool
    x: Array
    wanted: Array
    upstream: Array | None

    def tensor(self, values: Array, device: str = "cpu") -> Tensor:
        """Values in the dtype of the trial."""
        return torch.from_numpy(values.copy()).to(device, self.dtype)


@dataclass(frozen=True)
class Outcome:
    """The result; gradients where there was an upstream one; buffers after training."""

    y: Tensor
    gradients: Gradients
    buffers: dict[str, Tensor]


def outcomes(
    workload: Workload, backend: Backend
) -> Iterator[tuple[Trial, Outcome | BackendFailed]]:
    """Every trial of a backend, and its outcome or what it raised."""
    trials = list(_trials(workload, backend))
    made = backend.run_all(workload, trials)
    if made is None:
        made = _run_here(workload, backend, trials)
    for trial, outcome in zip(trials, made, strict=True):
        if isinstance(outcome, Exception):
            yield trial, BackendFailed.of(outcome)
        elif outcome.y.shape != trial.wanted.shape:
            shape = tuple(outcome.y.shape)
            message = f"the shape of the result is {shape}, not {trial.wanted.shape}"
            yield trial, BackendFailed(message)
        else:
            yield trial, outcome


def _trials(workload: Workload, backend: Backend) -> Iterator[Trial]:
    dtypes = (torch.float32, torch.bfloat16)
    for dtype in dtypes[:1] if backend.no_bfloat16 else dtypes:
        for training in (False, True) if backend.trains else (False,):
            expected = workload.modes[training]
            several = not training and type(backend).run_all is Backend.run_all
            for batch in BATCHES if several else BATCHES[-1:]:
                whole = batch == len(workload.x) and backend.differentiable
                upstream = workload.upstream if whole else None
                wanted = expected.result[:batch]
                yield Trial(dtype, training, workload.x[:batch], wanted, upstream)
            if backend.any_size and workload.taller is not None and not training:
                yield Trial(dtype, training, *workload.taller, None)


def _run_here(
    workload: Workload, backend: Backend, trials: list[Trial]
) -> Iterator[Outcome | Exception]:
    for (dtype, training), group in groupby(trials, lambda t: (t.dtype, t.training)):
        net = workload.module(backend, dtype).to(backend.device).train(training)
        with backend.settings():
            try:
                run = backend.load(workload.program, net)
            except Exception as error:  # any error of a wrong backend is the finding
                yield from [error for _ in group]
                continue
            net.train(training)  # exporting changes it
            for trial in group:
                try:
                    yield _run(run, net, trial, backend.device)
                except Exception as error:
                    yield error


def rounded(workload: Workload, trial: Trial) -> Outcome:
    """What rounding alone does: float64, weights and images rounded as in a trial."""
    net = workload.module(None, trial.dtype).double().train(trial.training)
    assert trial.upstream is not None
    exact = replace(
        trial,
        dtype=torch.float64,
        x=trial.tensor(trial.x).double().numpy(),
        upstream=trial.tensor(trial.upstream).double().numpy(),
    )
    return _run(net, net, exact)


def _run(run: "Run", net: nn.Module, trial: Trial, device: str = "cpu") -> Outcome:
    leaf = trial.tensor(trial.x, device).requires_grad_()
    if trial.upstream is None:
        with torch.no_grad():
            return Outcome(run(leaf.detach()).cpu(), {}, {})
    # An exported module has copies of the parameters under the same names.
    owner = run if isinstance(run, nn.Module) else net
    owner.zero_grad()
    y = run(leaf)
    torch.autograd.backward(y, trial.tensor(trial.upstream, device))
    made = {"": leaf, **dict(owner.named_parameters())}
    gradients = {
        name: (torch.zeros_like(one) if one.grad is None else one.grad).cpu()
        for name, one in made.items()
    }
    buffers = {name: one.cpu() for name, one in owner.named_buffers()}
    return Outcome(y.detach().cpu(), gradients, buffers)
