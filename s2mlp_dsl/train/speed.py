"""How long a run will take here, from a few of its steps."""

import time
from contextlib import closing
from pathlib import Path

import torch
from torch import nn

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.device import Place, choose_place
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.order import Order, Share, order_of
from s2mlp_dsl.train.schedule import schedule_of
from s2mlp_dsl.train.seeds import lent_generators
from s2mlp_dsl.train.session import prepare
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.step import Stepper


class Speed(Record):
    """Seconds of a step, of the test after an epoch, and of the whole run."""

    step: float
    test: float
    whole: float


def speed(
    model: nn.Module,
    job: Job,
    *,
    data_root: Path | None = None,
    device: str | None = None,
    seconds: float = 0.5,
) -> Speed:
    """Train for so many seconds and at least a step; nothing is kept of it.

    The first step does not count, unless it takes all the time. The test is taken
    to be as fast as a forward pass of a training batch. Raises as `train` does.
    """
    place = choose_place(device, job.recipe.precision)
    data = open_data(job, place.device, data_root)
    order = order_of(job.recipe, data.train.images)
    with lent_generators(place.device), place.numerics(job.recipe.deterministic):
        prepare(model.to(place.device), job)
        step = _step(model, job, data, order, place, seconds)
        test = _forward(model, job, data, order, place) * data.test.images
    whole = order.steps * step + order.epochs * test
    return Speed(step=step, test=test, whole=whole)


def _step(
    model: nn.Module, job: Job, data: Data, order: Order, place: Place, seconds: float
) -> float:
    """Seconds of a step, data included."""
    recipe = job.recipe
    schedule = schedule_of(recipe, order.steps, order.steps_per_epoch)
    stepper = Stepper(model.train(), recipe, job.classes, schedule, place)
    requests = order.requests(0, Share(micro=recipe.micro_batch))
    with closing(data.train.batches(requests)) as batches:
        began = _now(place)
        stepper(batches, 0, None)
        first = _now(place)
        done, spent = 1, first - began
        for step in range(1, order.steps if spent < seconds else 1):
            stepper(batches, step, None)
            done, spent = step, _now(place) - first
            if spent > seconds:
                break
    return spent / done


def _forward(
    model: nn.Module, job: Job, data: Data, order: Order, place: Place
) -> float:
    """Seconds that an image takes in evaluation."""
    requests = order.requests(0, Share(micro=job.recipe.micro_batch))
    model.eval()
    with (
        torch.inference_mode(),
        place.lent(model),
        closing(data.train.batches(requests)) as batches,
    ):
        batch = next(batches)
        began = _now(place)
        place.forward(model, batch.images_BCHW)
        return (_now(place) - began) / len(batch.labels_B)


def _now(place: Place) -> float:
    """Seconds, once the device has done all it was asked for."""
    if place.device.type == "cuda":
        torch.cuda.synchronize(place.device)
    return time.perf_counter()
