"""How far off a form is, in one kind of number, and what it may be.

Errors are relative: of a result or a buffer to its largest value, of a gradient to
its norm (in bfloat16 of all gradients together).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.verify.case import Case, Gradients
from s2mlp_dsl.verify.forms import FormFailed
from s2mlp_dsl.verify.trials import Outcome, Trial, rounded

# Of results, gradients and buffers; bfloat16 keeps eight bits.
TOLERANCES = {
    torch.float32: {"values": 1e-4, "gradients": 1e-3, "buffers": 1e-5},
    torch.bfloat16: {"values": 0.1, "gradients": 0.2, "buffers": 0.1},
}
ROUNDING = 4  # times what rounding alone does to gradients
LEAST = 1e-3  # of the norm of all gradients: what a small one is measured by
_ALL = "all gradients"


@dataclass
class Worst:
    """The largest error of one kind in one mode, and where it is.

    `broken` is the first thing that was raised in place of a result.
    """

    error: float = 0.0
    at: str = ""
    cases: int = 0
    broken: FormFailed | None = None

    def add(self, error: float, at: str) -> None:
        self.cases += 1
        if not error <= self.error:
            self.error, self.at = error, at


class Comparison:
    """Everything that one form computes in one kind of number and in one mode."""

    def __init__(self, case: Case, dtype: torch.dtype) -> None:
        self.case, self.dtype = case, dtype
        self.worst = {kind: Worst() for kind in TOLERANCES[dtype]}
        self.whole: Trial | None = None

    def add(self, trial: Trial, outcome: Outcome | Exception) -> None:
        """Hold what came of a trial to the truth."""
        wanted = torch.from_numpy(trial.wanted)
        if isinstance(outcome, Outcome) and outcome.y.shape != wanted.shape:
            found = tuple(outcome.y.shape)
            outcome = FormFailed(f"{found} leaves, not {tuple(wanted.shape)}")
        if isinstance(outcome, Exception):
            values = self.worst["values"]
            if not isinstance(outcome, FormFailed):
                outcome = FormFailed(repr(outcome).strip().splitlines()[0])
            values.broken, values.error = values.broken or outcome, float("inf")
            return
        output = dataflow(self.case.program.model).graph["output"]
        self.worst["values"].add(_of_largest(outcome.y, wanted), output)
        if trial.back is not None:
            self.whole = trial
            self._gradients(outcome.gradients, trial.training)
            self._buffers(outcome.buffers, trial.training)

    def allowed(self, kind: str) -> float:
        """What an error may be: as stated, or as rounding alone makes it.

        Where values stand at a kink, as of ReLU, rounding moves them across, and
        the gradient jumps; behind many batch norms that is most of it.
        """
        stated = TOLERANCES[self.dtype][kind]
        if kind != "gradients" or self.worst[kind].error <= stated or not self.whole:
            return stated
        alone = Comparison(self.case, self.dtype)
        alone.add(self.whole, rounded(self.case, self.whole))
        return max(stated, ROUNDING * alone.worst[kind].error)

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
            self.worst["gradients"].add(float(off / size), at)

    def _buffers(self, made: dict[str, Tensor], training: bool) -> None:
        for key, wanted in self.case.modes[training].buffers.items():
            error = _of_largest(made[key], torch.as_tensor(wanted))
            self.worst["buffers"].add(error, key.rpartition(".")[0])


def _together(gradients: Gradients) -> Tensor:
    parts = [gradients[key].flatten().double() for key in sorted(gradients)]
    return torch.cat(parts)


def _of_largest(found: Tensor, wanted: Tensor) -> float:
    off = (found.double() - wanted).abs().max()
    return float(off / wanted.abs().max().clamp_min(1e-30))
