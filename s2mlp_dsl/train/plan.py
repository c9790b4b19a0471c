"""A run before it begins: steps, rates and memory. Nothing is written."""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe import SGD
from s2mlp_dsl.train.blocks import checkpoint_activations, set_drop_path, set_dropout
from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.device import Place, choose_place
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.order import Share, order_of
from s2mlp_dsl.train.session import describe
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.world import World, rank_of_environment


class Plan(Record):
    """What a run would do. Memory is in bytes, on each device.

    `activations` are what autograd keeps of one part of a batch, measured on
    shapes alone; kernels' workspaces and fragmentation come on top.
    """

    device: str
    processes: int
    precision: str
    train_images: int
    test_images: int
    parameters: int
    steps_per_epoch: int
    epochs: int
    steps: int
    batch: int
    part: int
    parts: int
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
    place = choose_place(device, job.recipe.precision)
    data = open_data(job, torch.device("cpu"), data_root)
    order = order_of(job.recipe, data.train.images)
    rank, size, local = rank_of_environment()
    world = World(rank, size, local, place.device)
    run = describe(model, job, Path(), data, order, place, world)
    model = copy.deepcopy(model)
    set_drop_path(model, job.recipe.drop_path)
    set_dropout(model, job.recipe.dropout)
    if job.recipe.activation_checkpointing:
        checkpoint_activations(model)
    parts = Share(rank, size, job.recipe.micro_batch).parts(job.recipe.batch)
    part = max(piece.stop - piece.start for piece in parts)
    weights = sum(t.nbytes for t in model.state_dict().values())
    if place.precision == "bf16_weights":  # and their copies
        weights += run.parameters * 2
    momenta = _momenta(job)
    points = {0, run.schedule.warmup, order.steps // 2, order.steps - 1}
    return Plan(
        device=str(place.device),
        processes=size,
        precision=place.precision,
        train_images=data.train_images,
        test_images=data.test.images,
        parameters=run.parameters,
        steps_per_epoch=order.steps_per_epoch,
        epochs=order.epochs,
        steps=order.steps,
        batch=job.recipe.batch,
        part=part,
        parts=len(parts),
        rates=tuple((step, run.schedule.at(step)) for step in sorted(points)),
        weights=weights,
        gradients=run.parameters * 4,
        optimizer=run.parameters * 4 * momenta,
        average=0 if job.recipe.ema is None else run.parameters * 4,
        activations=part * _activations(model, job, place),
        data=_held(data),
    )


def _momenta(job: Job) -> int:
    optimizer = job.recipe.optimizer
    if isinstance(optimizer, SGD):
        return 1 if optimizer.momentum else 0
    return 2


def _activations(model: nn.Module, job: Job, place: Place) -> int:
    """Bytes that autograd keeps for one image, by a forward pass on shapes.

    The pass is in float32; in bf16 and fp16 about half of it is kept.
    """
    model = model.to("meta").train()
    own = {id(p) for p in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        base = tensor if tensor._base is None else tensor._base
        if id(base) not in own:
            kept[id(base)] = base
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        result = model(torch.empty(2, *job.image, device="meta"))
    size: int = sum(tensor.nbytes for tensor in kept.values()) + result.nbytes
    full = place.precision in ("fp32", "tf32")
    return size // 2 // (1 if full else 2)


def _held(data: Data) -> int:
    """Bytes of data sets that live on the device."""
    halves = (data.train, data.test)
    return sum(getattr(half, "nbytes", 0) for half in halves)
