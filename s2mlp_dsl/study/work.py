"""The process of one run: training, then a test on the test and training images.

The process writes its result itself, so one that ends without a result has crashed
or was stopped. This is the only module of a study that imports torch.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2mlp_dsl import disk
from s2mlp_dsl.bounds import raised
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.jobs import begin
from s2mlp_dsl.lock import Lock
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.study.records import (
    RESULTS,
    RUNS,
    Accuracy,
    Failure,
    Outcome,
    Place,
    Result,
    Timing,
)
from s2mlp_dsl.study.store import LOGS, read_result, write

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.train import Job, Summary

BUSY = 75  # exit code of a run that another process is doing
_PATIENCE = 20  # seconds; a killed run needs some to go


class Task(Record):
    """A run to do. `recipe` has its seed; `result` has its names and hashes.

    `threads` are of the CPU, `limits` are the resource limits for the model, and
    `slot` numbers the runs that go on in parallel.
    """

    result: Result
    spec: str
    model_text: str
    recipe: Recipe
    recipe_name: str
    out: Path
    data: Path | None
    device: str | None
    threads: int
    limits: dict[str, int]
    slot: int = 0

    @property
    def seed(self) -> int:
        return self.result.seed

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.out / RUNS / self.result.name

    @property
    def result_file(self) -> Path:
        return self.out / RESULTS / f"{self.result.name}.json"

    @property
    def log(self) -> Path:
        """The file that the run's output goes to."""
        return self.out / LOGS / f"{self.result.name}.log"


def work(task: Task) -> None:
    """Do or resume a run, write its result and exit."""
    disk.make_folder(task.log.parent)
    log = disk.appending(task.log)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    follow_parent()
    lock = Lock.acquire(task.log.with_suffix(".lock"), _PATIENCE)
    if lock is None:
        sys.exit(BUSY)
    try:
        if task.result_file.exists():
            if read_result(task.result_file).outcome is not None:
                sys.exit(0)  # another process did it meanwhile
            task.result_file.unlink()  # of an earlier failure
        sys.exit(_run(task))
    finally:
        lock.release()


def follow_parent() -> None:
    """Stop as on SIGTERM when the parent process is gone.

    Ctrl-C goes to every process of a terminal; it is left to the parent to act on it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _run(task: Task) -> int:
    """Train, test and write the result. Returns the exit code."""
    from s2mlp_dsl import train

    try:
        write(task.result_file, _result(task))
        return 0
    except train.Interrupted as stopped:
        return stopped.exit_code
    except train.RunError as error:
        failure = Failure(message=str(error), exit_code=error.exit_code)
    except Exception as error:
        traceback.print_exc()
        message = f"bug: {type(error).__name__}: {error}; see {LOGS}/{task.log.name}"
        failure = Failure(message=message, exit_code=3)
    write(task.result_file, task.result.model_copy(update={"failure": failure}))
    return failure.exit_code


def _result(task: Task) -> Result:
    """Train or resume, then test on the test and the training images."""
    import torch

    from s2mlp_dsl import train

    torch.set_num_threads(task.threads)
    module, job = begun(task)
    device = device_of(task)
    summary = train.train(
        module, job, task.run, resume=True, data_root=task.data, device=device
    )

    def accuracy(half: Literal["test", "train"]) -> Accuracy:
        found = train.evaluate(
            module, task.run, data_root=task.data, device=device, on=half
        )
        return Accuracy(
            top1=found.accuracy, top5=found.top5, loss=found.loss, images=found.images
        )

    outcome = Outcome(
        test=accuracy("test"),
        train=accuracy("train"),
        best_accuracy=summary.best_accuracy,
        best_epoch=summary.best_epoch,
        epochs=summary.epochs,
        steps=summary.steps,
    )
    timing = Timing(
        seconds=summary.seconds,
        images_per_second=summary.images_per_second,
        peak_memory_bytes=summary.peak_memory_bytes,
    )
    place = _place(task.recipe, device, summary)
    return task.result.model_copy(
        update={"outcome": outcome, "timing": timing, "place": place}
    )


def begun(task: Task) -> "tuple[nn.Module, Job]":
    """The model with its initial weights, and the job."""
    from s2mlp_dsl.api import elaborate

    with raised(**task.limits):
        program = elaborate(task.model_text)
    return begin(program, task.recipe, task.recipe_name, task.spec, device_of(task))


def device_of(task: Task) -> str | None:
    """The device that was asked for; with several GPUs, one per slot."""
    import torch

    if task.device not in (None, "cuda") or torch.cuda.device_count() < 2:
        return task.device
    return f"cuda:{task.slot % torch.cuda.device_count()}"


def _place(recipe: Recipe, device: str | None, summary: "Summary") -> Place:
    from s2mlp_dsl.bench.measure import machine
    from s2mlp_dsl.train.device import choose_accelerator
    from s2mlp_dsl.train.run import versions

    here = machine(choose_accelerator(device, recipe.precision))
    return Place(
        device=summary.device,
        machine=f"{here.processor}, {here.system}",
        threads=here.threads,
        precision=summary.precision,
        versions=versions(),
    )
