"""What the runner's loop costs over a bare PyTorch loop.

    python benchmarks/loop.py [--device cuda] [--steps 40]

Both train the same model on the same batches with the same optimizer, taking
turns in one process, and the median of the paired ratios counts. The bare loop
does forward, loss, backward and step, with the learning rate set, and nothing
else; the runner's also draws seeds, checks loss and gradient, and counts.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch.nn import functional as F

import s2mlp_dsl as s2
from s2mlp_dsl.ir.recipe import Cosine, Recipe, Synthetic
from s2mlp_dsl.train.data import Batch
from s2mlp_dsl.train.device import choose_place
from s2mlp_dsl.train.optimizer import build_optimizer
from s2mlp_dsl.train.schedule import schedule_of
from s2mlp_dsl.train.state import Sums, Tally
from s2mlp_dsl.train.step import Stepper
from s2mlp_dsl.train.waiting import Waiting
from s2mlp_dsl.train.world import World

TARGET = 0.03
ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=4, help="steps in each turn")
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    place = choose_place(given.device, "auto")
    model = s2.compile(
        "specs/s2mlp.arch", width=96, depth=4, patch=8, size=64, classes=10
    )
    model.to(place.device)
    recipe = Recipe(data=Synthetic(), steps=10**6, batch=given.batch, schedule=Cosine())
    images = torch.randn(given.batch, 3, 64, 64, device=place.device)
    labels = torch.randint(10, (given.batch,), device=place.device)
    batch = Batch(images, labels, torch.arange(given.batch))
    turns = (
        bare(copy.deepcopy(model), recipe, batch, place),
        ours(model, recipe, batch, place),
    )
    ratios = []
    for number in range(ROUNDS + 2):
        # Whoever goes second finds warmer caches, so they swap.
        first, second = turns if number % 2 else turns[::-1]
        taken = {
            turn: seconds(turn, given.steps, place.device) for turn in (first, second)
        }
        if number >= 2:
            ratios.append(taken[turns[1]] / taken[turns[0]])
    cost = statistics.median(ratios) - 1
    low, high = (
        sorted(ratios)[len(ratios) // 4] - 1,
        sorted(ratios)[-len(ratios) // 4] - 1,
    )
    verdict = "met" if cost <= TARGET else "MISSED"
    print(
        f"the loop costs {cost:+.1%} over a bare one (middle half {low:+.1%} to "
        f"{high:+.1%}, {ROUNDS} pairs of {given.steps} steps, {place.device}, "
        f"{place.precision}), target {TARGET:.0%} {verdict}"
    )


def bare(
    model: torch.nn.Module, recipe: Recipe, batch: Batch, place
) -> Callable[[], None]:
    optimizer = build_optimizer(model, recipe.optimizer)
    schedule, at = schedule_of(recipe, 10**6, 100), 0

    def step() -> None:
        nonlocal at
        with place.autocast():
            logits = model(batch.images_BCHW)
        loss = F.cross_entropy(logits.float(), batch.labels_B)
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = schedule.at(at)
        optimizer.step()
        at += 1

    return step


def ours(
    model: torch.nn.Module, recipe: Recipe, batch: Batch, place
) -> Callable[[], None]:
    stepper = Stepper(model, recipe, 10, schedule_of(recipe, 10**6, 100), place)
    tally = Tally(World(device=place.device), Sums())
    batches, at = Waiting(forever(batch)), 0

    def step() -> None:
        nonlocal at
        done = stepper(batches, at, None)
        tally.add(done.loss, done.correct, len(done.skipped))
        at += 1
        if at % 10 == 0:
            tally.read()

    return step


def forever(batch: Batch) -> Iterator[Batch]:
    while True:
        yield batch


def seconds(step: Callable[[], None], steps: int, device: torch.device) -> float:
    # On a CPU shared with others, seconds of this process alone are comparable.
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = clock()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


if __name__ == "__main__":
    main()
