"""A run before it begins: steps, rates, memory and time. Nothing is written."""

import copy
import time
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor, UntypedStorage, nn
from torch.autograd.graph import saved_tensors_hooks

from s2mlp_dsl.data.batch import Data
from s2mlp_dsl.data.images import Preprocess
from s2mlp_dsl.data.sampler import BatchSplit, Sampler
from s2mlp_dsl.data.seeds import fork_generators
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.train.data import open_data, sampler_of
from s2mlp_dsl.train.device import Accelerator, choose_accelerator
from s2mlp_dsl.train.distributed import rank_of_environment
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.model import prepare
from s2mlp_dsl.train.optimizer import build_optimizer, state_tensors
from s2mlp_dsl.train.run import describe
from s2mlp_dsl.train.step import TrainStep


class Plan(Record):
    """What a run would do. Memory is in bytes, on each device.

    `activations` are what autograd keeps of one micro-batch, measured on shapes
    alone; kernels' workspaces and fragmentation come on top.
    """

    device: str
    processes: int
    precision: str
    preprocess: Preprocess
    left_out: tuple[str, ...]
    train_images: int
    test_images: int
    parameters: int
    steps_per_epoch: int
    epochs: int
    steps: int
    batch: int
    micro_batch: int
    micro_batches: int
    rates: tuple[tuple[int, float], ...]
    weights: int
    gradients: int
    optimizer: int
    average: int
    activations: int
    data: int

    @property
    def memory(self) -> int:
        kept = self.weights + self.gradients + self.optimizer + self.average
        return kept + self.activations + self.data


def plan(
    model: nn.Module,
    job: Job,
    *,
    data_root: Path | None = None,
    device: str | None = None,
) -> Plan:
    """What `train` would do with the same arguments. Raises like it."""
    recipe = job.recipe
    accelerator = choose_accelerator(device, recipe.precision)
    data = open_data(job, torch.device("cpu"), data_root)
    sampler = sampler_of(recipe, data.train.images)
    rank, world_size, _ = rank_of_environment()
    run = describe(model, job, Path(), data, sampler, accelerator, world_size)
    model = copy.deepcopy(model)
    prepare(model, recipe.model_copy(update={"compile": False}))
    slices = BatchSplit(rank, world_size, recipe.micro_batch).micro_batches(
        recipe.batch
    )
    micro_batch = max(part.stop - part.start for part in slices)
    weights = sum(t.nbytes for t in model.state_dict().values())
    if accelerator.precision == "bf16_weights":  # and their copies
        weights += run.parameters * 2
    warmup = int(run.learning_rate.schedule.warmup)
    points = {0, warmup, sampler.steps // 2, sampler.steps - 1}
    return Plan(
        device=str(accelerator.device),
        processes=world_size,
        precision=accelerator.precision,
        preprocess=data.preprocess,
        left_out=data.left_out,
        train_images=data.train_images,
        test_images=data.test.images,
        parameters=run.parameters,
        steps_per_epoch=sampler.steps_per_epoch,
        epochs=sampler.epochs,
        steps=sampler.steps,
        batch=recipe.batch,
        micro_batch=micro_batch,
        micro_batches=len(slices),
        rates=tuple((step, run.learning_rate.at(step)) for step in sorted(points)),
        weights=weights,
        gradients=run.parameters * 4,
        optimizer=run.parameters * 4 * _states_per_parameter(job),
        average=0 if recipe.ema is None else run.parameters * 4,
        activations=micro_batch * _activations(model, job, accelerator),
        data=sum(getattr(half, "nbytes", 0) for half in (data.train, data.test)),
    )


def _states_per_parameter(job: Job) -> int:
    """How many tensors the optimizer keeps for each parameter, by a step of one."""
    layer = nn.Linear(2, 2, bias=False)
    optimizer = build_optimizer(layer, job.recipe.optimizer)
    layer.weight.grad = torch.zeros_like(layer.weight)
    optimizer.step()
    states = state_tensors(layer, optimizer).values()
    return sum(int(tensor.shape == layer.weight.shape) for tensor in states)


def _activations(model: nn.Module, job: Job, accelerator: Accelerator) -> int:
    """Bytes that autograd keeps for one image, by a forward pass on shapes.

    The pass is in float32; in bf16 and fp16 about half of it is kept.
    """
    model = model.to("meta").train()
    weights = [p.untyped_storage() for p in model.parameters()]
    own = {id(storage) for storage in weights}
    kept: dict[int, UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if id(storage) not in own:
            kept[id(storage)] = storage
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        result = model(torch.empty(2, *job.image, device="meta"))
    size: int = sum(storage.nbytes() for storage in kept.values()) + result.nbytes
    full = accelerator.precision in ("fp32", "tf32")
    return size // 2 // (1 if full else 2)


class Speed(Record):
    """Seconds of a step, of the test after an epoch, and of the whole run."""

    step: float
    test: float
    total: float


def speed(
    model: nn.Module,
    job: Job,
    *,
    data_root: Path | None = None,
    device: str | None = None,
    seconds: float = 0.5,
) -> Speed:
    """Train for so many seconds and at least a step; nothing of it is kept.

    The first step does not count, unless it takes all the time. The test is taken
    to be as fast as a forward pass of a training batch. Raises like `train`.
    """
    accelerator = choose_accelerator(device, job.recipe.precision)
    data = open_data(job, accelerator.device, data_root)
    sampler = sampler_of(job.recipe, data.train.images)
    with (
        fork_generators(accelerator.device),
        accelerator.numerics(job.recipe.deterministic),
    ):
        prepare(model.to(accelerator.device), job.recipe)
        step = _seconds_of_step(model, job, data, sampler, accelerator, seconds)
        image = _seconds_of_image(model, job, data, sampler, accelerator)
    test = image * data.test.images
    total = sampler.steps * step + sampler.epochs * test
    return Speed(step=step, test=test, total=total)


def _seconds_of_step(
    model: nn.Module,
    job: Job,
    data: Data,
    sampler: Sampler,
    accelerator: Accelerator,
    seconds: float,
) -> float:
    """Data included."""
    recipe = job.recipe
    rate = LearningRate.of(recipe, sampler.steps, sampler.steps_per_epoch)
    train_step = TrainStep(model.train(), recipe, job.classes, rate, accelerator)
    wanted = sampler.batches(0, BatchSplit(micro_batch=recipe.micro_batch))
    with closing(data.train.batches(wanted)) as batches:
        start = _now(accelerator)
        train_step(batches, 0, None)
        first = _now(accelerator)
        done, spent = 1, first - start
        for step in range(1, sampler.steps if spent < seconds else 1):
            train_step(batches, step, None)
            done, spent = step, _now(accelerator) - first
            if spent > seconds:
                break
    return spent / done


def _seconds_of_image(
    model: nn.Module,
    job: Job,
    data: Data,
    sampler: Sampler,
    accelerator: Accelerator,
) -> float:
    """In evaluation."""
    wanted = sampler.batches(0, BatchSplit(micro_batch=job.recipe.micro_batch))
    model.eval()
    with (
        torch.inference_mode(),
        accelerator.weights(model),
        closing(data.train.batches(wanted)) as batches,
    ):
        batch = next(batches)
        start = _now(accelerator)
        accelerator.forward(model, batch.images_BCHW)
        return (_now(accelerator) - start) / len(batch.labels_B)


def _now(accelerator: Accelerator) -> float:
    accelerator.synchronize()
    return time.perf_counter()
