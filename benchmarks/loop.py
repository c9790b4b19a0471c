"""The overhead of `train` over a bare PyTorch loop.

    python benchmarks/loop.py [--quick] [--device cuda] [--epochs 4] [--threads 1]
                              [--precision bf16_weights]

A real run of `train` is timed, with its checks, metrics, log lines and polls. Before
each of its steps a bare loop does the same step: same model, batch, optimizer and
learning rate, but only forward, loss, backward and update. So the two alternate, and
every pair of neighbouring steps gives a ratio. Fetching the batch is not timed, nor are
the tests and checkpoints between epochs.
"""

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import get_args

import torch
from rows import ROOT, Row, main
from torch.nn import functional as F

import s2mlp_dsl as s2
from s2mlp_dsl.data.batch import Batch, BatchIndices
from s2mlp_dsl.data.memory import InMemory
from s2mlp_dsl.recipe import Precision, Recipe
from s2mlp_dsl.recipe.datasets.synthetic import Synthetic
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.recipe.schedules.cosine import Cosine
from s2mlp_dsl.train import Job, train
from s2mlp_dsl.train.device import Accelerator, choose_accelerator
from s2mlp_dsl.train.optimizer import build_optimizer

TARGET = 1.03
PER_EPOCH, WARM = 64, 8  # steps; the first ones are a warm-up
Seconds = tuple[float, float]  # processor time, wall time


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto", choices=get_args(Precision))


def rows(given: argparse.Namespace) -> Iterator[Row]:
    torch.set_num_threads(given.threads)
    accelerator = choose_accelerator(given.device, given.precision)
    sizes = {"width": 96, "depth": 4, "patch": 8, "size": 64, "classes": 10}
    model = s2.compile(ROOT / "specs/s2mlp.arch", **sizes).to(accelerator.device)
    recipe = Recipe(
        data=Synthetic(images=PER_EPOCH * given.batch),
        epochs=1 if given.quick else given.epochs,
        batch=given.batch,
        schedule=Cosine(),
        precision=given.precision,
    )
    bare, ours = paired_run(model, recipe, accelerator)
    # On a GPU the wall time counts; on a shared CPU it includes other processes.
    on_gpu = accelerator.device.type == "cuda"
    for at, kind in enumerate(("processor time", "wall time")):
        costs = [mine[at] / theirs[at] for theirs, mine in zip(bare, ours, strict=True)]
        median, between = interval(costs)
        on = f"{accelerator.device}, {accelerator.precision}"
        detail = f"{between}; {len(ours)} pairs, {on}"
        target = TARGET if at == on_gpu else None
        yield Row(
            f"step of train / bare loop, {kind}", median, "×", target, detail=detail
        )


def paired_run(
    model: torch.nn.Module, recipe: Recipe, accelerator: Accelerator
) -> tuple[list[Seconds], list[Seconds]]:
    """Seconds of each step of the bare loop and of `train`."""
    bare, ours, step = [], [], bare_step(copy.deepcopy(model), recipe, accelerator)
    given = InMemory.batches

    def paired_batches(
        self: InMemory, requests: Iterable[BatchIndices]
    ) -> Generator[Batch, None, None]:
        if self.images != PER_EPOCH * recipe.batch:  # the test's
            yield from given(self, requests)
            return
        for number, batch in enumerate(given(self, requests)):
            start = now(accelerator)
            step(batch, number)
            middle = now(accelerator)
            yield batch
            # When it asks for the next batch, `train` has finished the step. The last
            # step of an epoch is left out: a test and a checkpoint follow it.
            if number >= WARM and (number + 1) % PER_EPOCH:
                bare.append(since(start, middle))
                ours.append(since(middle, now(accelerator)))

    InMemory.batches = paired_batches  # type: ignore[method-assign]
    job = Job(
        model_name="s2mlp",
        spec="specs/s2mlp.arch",
        image=(3, 64, 64),
        classes=10,
        function_hash="",
        weight_hash="",
        model_text="",
        recipe=recipe,
        recipe_name="loop",
    )
    with tempfile.TemporaryDirectory() as folder:
        train(
            model, job, Path(folder) / "run", device=str(accelerator.device), quiet=True
        )
    return bare, ours


def bare_step(
    model: torch.nn.Module, recipe: Recipe, accelerator: Accelerator
) -> Callable[[Batch, int], None]:
    """The training step that one would write first."""
    optimizer = build_optimizer(model, recipe.optimizer)
    schedule = LearningRate.of(recipe, (recipe.epochs or 0) * PER_EPOCH, PER_EPOCH)
    model.train()

    def step(batch: Batch, number: int) -> None:
        optimizer.zero_grad()
        with accelerator.weights(model):
            logits = accelerator.forward(model, batch.images_BCHW)
            loss = F.cross_entropy(logits.float(), batch.labels_B)
            loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = schedule.at(number)
        optimizer.step()

    return step


def now(accelerator: Accelerator) -> Seconds:
    if accelerator.device.type == "cuda":
        torch.cuda.synchronize(accelerator.device)
    return time.process_time(), time.perf_counter()


def since(start: Seconds, end: Seconds) -> Seconds:
    return end[0] - start[0], end[1] - start[1]


def interval(costs: list[float]) -> tuple[float, str]:
    """The median, and its 95 % confidence interval by ranks, as text."""
    ranked, count = sorted(costs), len(costs)
    half = 0.98 * count**0.5
    low, high = (ranked[round(count / 2 + sign * half)] for sign in (-1, 1))
    return statistics.median(ranked), f"{low:.3f} to {high:.3f} with 95 % confidence"


if __name__ == "__main__":
    main(rows, __doc__, add_options)
