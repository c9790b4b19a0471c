"""A form at work: what it is run on, and what comes of it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor, nn

from s2mlp_dsl.verify.case import BATCHES, Case, Gradients
from s2mlp_dsl.verify.forms import (
    IN_BOTH_MODES,
    NOT_IN_BFLOAT16,
    OF_ANY_SIZE,
    WITHOUT_GRADIENT,
    FormFailed,
    Run,
    form,
)
from s2mlp_dsl.verify.reference import Array

DTYPES = (torch.float32, torch.bfloat16)

# Runs the emitted file where nothing of this project can be imported.
ALONE = """
import sys, torch
sys.modules["s2mlp_dsl"] = None
import emitted
given = torch.load("given.pt", weights_only=True)
made = []
for trial in given["trials"]:
    try:
        net = getattr(emitted, given["name"])()
        net.load_state_dict(given["state"])
        net.to(trial["dtype"]).train(trial["training"])
        x = trial["x"].requires_grad_()
        y = net(x)
        y.backward(trial["back"])
        grads = {"": x.grad, **{key: p.grad for key, p in net.named_parameters()}}
        kept = dict(net.named_buffers())
        made.append({"y": y.detach(), "gradients": grads, "buffers": kept})
    except Exception as error:
        made.append({"error": f"{type(error).__name__}: {error}"})
torch.save(made, "made.pt")
"""


@dataclass(frozen=True)
class Trial:
    """A batch of images in one mode, what must leave, and what then comes back."""

    dtype: torch.dtype
    training: bool
    x: Array
    wanted: Array
    back: Array | None

    @property
    def images(self) -> Tensor:
        return torch.from_numpy(self.x.copy()).to(self.dtype)

    @property
    def coming_back(self) -> Tensor | None:
        return None if self.back is None else torch.from_numpy(self.back).to(self.dtype)


@dataclass(frozen=True)
class Outcome:
    """What leaves; gradients where something came back; buffers after training."""

    y: Tensor
    gradients: Gradients
    buffers: dict[str, Tensor]


def outcomes(case: Case, name: str) -> Iterator[tuple[Trial, Outcome | Exception]]:
    """Every trial of a form, and what came of it, or what it raised."""
    trials = list(_trials(case, name))
    if name == "emitted":
        yield from zip(trials, _alone(case, trials), strict=True)
        return
    for (dtype, training), group in groupby(trials, _setting):
        first, *others = group
        net = case.module(name, dtype).train(training)
        try:
            run = form(name, case.program, net)
        except Exception as error:  # whatever a wrong form raises is the finding
            yield first, error
            continue
        net.train(training)  # exporting sets it
        for trial in (first, *others):
            try:
                yield trial, _here(run, net, trial)
            except Exception as error:
                yield trial, error


def rounded(case: Case, trial: Trial) -> Outcome:
    """What rounding alone does: float64, weights and images rounded as in a trial."""
    net = case.module(None, trial.dtype).double().train(trial.training)
    x, back = trial.images, trial.coming_back
    assert back is not None
    exact = replace(
        trial, dtype=torch.float64, x=x.double().numpy(), back=back.double().numpy()
    )
    return _here(net, net, exact)


def _setting(trial: Trial) -> tuple[torch.dtype, bool]:
    return trial.dtype, trial.training


def _trials(case: Case, name: str) -> Iterator[Trial]:
    for dtype in DTYPES[:1] if name in NOT_IN_BFLOAT16 else DTYPES:
        for training in (False, True) if name in IN_BOTH_MODES else (False,):
            truth = case.modes[training]
            # The emitted file is the text that `eager` runs: once will do.
            once = training or name == "emitted"
            for batch in BATCHES[-1:] if once else BATCHES:
                whole = batch == len(case.x) and name not in WITHOUT_GRADIENT
                back = case.back if whole else None
                wanted = truth.result[:batch]
                yield Trial(dtype, training, case.x[:batch], wanted, back)
            if name in OF_ANY_SIZE and case.taller is not None and not training:
                yield Trial(dtype, training, *case.taller, None)


def _here(run: Run, net: nn.Module, trial: Trial) -> Outcome:
    leaf, back = trial.images.requires_grad_(), trial.coming_back
    if back is None:
        with torch.no_grad():
            return Outcome(run(leaf.detach()), {}, {})
    # An exported module has copies of the parameters under the same names.
    owner = run if isinstance(run, nn.Module) else net
    owner.zero_grad()
    y = run(leaf)
    torch.autograd.backward(y, back)
    made = {"": leaf, **dict(owner.named_parameters())}
    gradients = {
        _plain(name): torch.zeros_like(one) if one.grad is None else one.grad
        for name, one in made.items()
    }
    buffers = {_plain(name): one for name, one in owner.named_buffers()}
    return Outcome(y.detach(), gradients, buffers)


def _plain(name: str) -> str:
    """Without what `torch.compile` puts before it."""
    return name.removeprefix("_orig_mod.")


def _alone(case: Case, trials: list[Trial]) -> Iterator[Outcome | Exception]:
    """The emitted file, all trials in one process of its own."""
    source = case.program.source()
    given = {
        "name": source.model_class,
        "state": case.module(None, torch.float32).state_dict(),
        "trials": [
            {
                "dtype": trial.dtype,
                "training": trial.training,
                "x": trial.images,
                "back": trial.coming_back,
            }
            for trial in trials
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "emitted.py").write_text(source.text, encoding="utf-8")
        torch.save(given, Path(folder) / "given.pt")
        words = [sys.executable, "-c", ALONE]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            yield from [FormFailed(last)] * len(trials)
            return
        made = torch.load(Path(folder) / "made.pt", weights_only=True)
    for one in made:
        yield FormFailed(one["error"]) if "error" in one else Outcome(**one)
