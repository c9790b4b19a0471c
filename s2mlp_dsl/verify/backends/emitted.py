"""The file of `--emit torch`, in a process that cannot import this package."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from s2mlp_dsl.verify.backends import Backend
from s2mlp_dsl.verify.trials import BackendFailed, Outcome, Trial
from s2mlp_dsl.verify.workload import Workload

SCRIPT = """
import sys, torch
sys.modules["s2mlp_dsl"] = None
sys.path.insert(0, "")  # PYTHONSAFEPATH, which the command line sets, leaves it out
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
        y.backward(trial["upstream"])
        grads = {"": x.grad, **{key: p.grad for key, p in net.named_parameters()}}
        kept = dict(net.named_buffers())
        made.append({"y": y.detach(), "gradients": grads, "buffers": kept})
    except Exception as error:
        made.append({"error": f"{type(error).__name__}: {error}"})
torch.save(made, "made.pt")
"""


class Emitted(Backend):
    """All trials run in one process. They are few: `eager` runs the same text."""

    api = 1
    doc = (
        "the file of `--emit torch`, in a fresh process that cannot import this package"
    )

    def run_all(
        self, workload: Workload, trials: list[Trial]
    ) -> Iterator[Outcome | Exception]:
        source = workload.program.source()
        given = {
            "name": source.model_class,
            "state": workload.module(self, torch.float32).state_dict(),
            "trials": [
                {
                    "dtype": trial.dtype,
                    "training": trial.training,
                    "x": trial.tensor(trial.x),
                    "upstream": trial.tensor(trial.upstream),
                }
                for trial in trials
                if trial.upstream is not None
            ],
        }
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "emitted.py").write_text(source.text, encoding="utf-8")
            torch.save(given, Path(folder) / "given.pt")
            words = [sys.executable, "-c", SCRIPT]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                yield from [BackendFailed(last)] * len(trials)
                return
            made = torch.load(Path(folder) / "made.pt", weights_only=True)
        for one in made:
            yield BackendFailed(one["error"]) if "error" in one else Outcome(**one)
