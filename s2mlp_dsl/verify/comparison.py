"""How far off a form is, in one kind of number, and what it may be.

Errors are relative: of a result or a buffer to its largest value, of a gradient to
its norm (in bfloat16 of all gradients together).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.verify.case import Case, Gradients
from s2mlp_dsl.verify.forms import FormFailed
from s2mlp_dsl.verify.trials import Outcome, Trial

# Of results, gradients and buffers; bfloat16 keeps eight bits.
TOLERANCES = {
    torch.float32: {"values": 1e-4, "gradients": 1e-3, "buffers": 1e-5},
    torch.bfloat16: {"values": 0.1, "gradients": 0.2, "buffers": 0.1},
}
LEAST = 1e-3  # of the norm of all gradients: what a small one is measured by
_ALL = "all gradients"


@dataclass
class Worst:
    """The largest error of one kind, where it is, and in which mode.

    `broken` is what was raised in place of a result.
    """

    error: float = 0.0
    at: str = ""
    training: bool = False
    cases: int = 0
    broken: str = ""

    def add(self, error: float, at: str, training: bool) -> None:
        self.cases += 1
        if not error <= self.error:
            self.error, self.at, self.training = error, at, training


@dataclass
class Comparison:
    """Everything that one form computes in one kind of number."""

    case: Case
    dtype: torch.dtype
    worst: dict[str, Worst] = field(
        default_factory=lambda: {
            "values": Worst(),
            "gradients": Worst(),
            "buffers": Worst(),
        }
    )

    def add(self, trial: Trial, outcome: Outcome | Exception) -> None:
        """Hold what came of a trial to the truth."""
        wanted = torch.from_numpy(trial.wanted)
        if isinstance(outcome, Outcome) and outcome.y.shape != wanted.shape:
            found = tuple(outcome.y.shape)
            outcome = FormFailed(f"{found} leaves, not {tuple(wanted.shape)}")
        if isinstance(outcome, Exception):
            values = self.worst["values"]
            plain = isinstance(outcome, FormFailed)
            reason = str(outcome) if plain else repr(outcome)
            values.broken = values.broken or reason.strip().splitlines()[0]
            values.error, values.training = float("inf"), trial.training
            return
        output = dataflow(self.case.program.model).graph["output"]
        error = _of_largest(outcome.y, wanted)
        self.worst["values"].add(error, output, trial.training)
        if trial.back is not None:
            self._gradients(outcome.gradients, trial.training)
            self._buffers(outcome.buffers, trial.training)

    def _gradients(self, made: Gradients, training: bool) -> None:
        model, exact = self.case.program.model, self.case.modes[training].gradients
        made = {key: made[key] for key in exact}
        everything = _together(exact)
        # What a norm behind it takes out again has no gradient but rounding.
        least = LEAST * float(torch.linalg.vector_norm(everything))
        if self.dtype != torch.float32:
            # A small one alone drowns in the rounding.
            made, exact = {_ALL: _together(made)}, {_ALL: everything}
        for key, gradient in made.items():
            off = torch.linalg.vector_norm(gradient.double() - exact[key])
            size = torch.linalg.vector_norm(exact[key]).clamp_min(least or 1e-30)
            first = model.name if key == _ALL else model.input.name
            at = key.rpartition(".")[0] or first
            self.worst["gradients"].add(float(off / size), at, training)

    def _buffers(self, made: dict[str, Tensor], training: bool) -> None:
        for key, wanted in self.case.modes[training].buffers.items():
            error = _of_largest(made[key], torch.as_tensor(wanted))
            self.worst["buffers"].add(error, key.rpartition(".")[0], training)


def _together(gradients: Gradients) -> Tensor:
    parts = [gradients[key].flatten().double() for key in sorted(gradients)]
    return torch.cat(parts)


def _of_largest(found: Tensor, wanted: Tensor) -> float:
    off = (found.double() - wanted).abs().max()
    return float(off / wanted.abs().max().clamp_min(1e-30))
