"""One optimizer step: forward and backward by micro-batches, check, update."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from s2mlp_dsl.data.batch import Batch
from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.data.seeds import derive, reseed
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.train.data import BatchMixer
from s2mlp_dsl.train.device import Accelerator
from s2mlp_dsl.train.distributed import Distributed
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.optimizer import EMA, build_optimizer


@dataclass(frozen=True)
class StepResult:
    """This rank's part of the batch's mean loss, and its correct answers.

    Both stay on the device. `skipped` names unreadable files.
    """

    loss: Tensor
    correct: Tensor
    skipped: tuple[str, ...]


class TrainStep:
    """Applies a recipe to a model, one batch at a time.

    The batch's loss is a sum over images divided by the whole batch, so it does not
    matter how ranks and micro-batches divide it.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        classes: int,
        learning_rate: LearningRate,
        accelerator: Accelerator,
        distributed: Distributed | None = None,
    ) -> None:
        self.recipe, self.learning_rate, self.classes = recipe, learning_rate, classes
        self.accelerator = accelerator
        self.distributed = distributed or Distributed(device=accelerator.device)
        rank, world_size = self.distributed.rank, self.distributed.world_size
        split = BatchSplit(rank, world_size, recipe.micro_batch)
        self.micro_batches = len(split.micro_batches(recipe.batch))
        self.mix = BatchMixer(recipe, classes)
        self.buffers = [b for b in model.buffers() if b.is_floating_point()]
        self.optimizer = build_optimizer(model, recipe.optimizer)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.ema = None if recipe.ema is None else EMA(model, recipe.ema)
        self.scaler = torch.amp.GradScaler(
            accelerator.device.type, enabled=accelerator.precision == "fp16"
        )
        self.model = self.ddp_model = model
        if world_size > 1:
            # Without broadcasts: the statistics of all ranks count, not those of
            # rank 0 alone.
            self.ddp_model = DistributedDataParallel(
                model, gradient_as_bucket_view=True, broadcast_buffers=False
            )

    def __call__(
        self, batches: Iterator[Batch], step: int, last_good: Path | None
    ) -> StepResult:
        """Train on one batch, taken from `batches` in micro-batches.

        The answer to a mixed image is correct if it is the class with the larger
        share. Raises EnvironmentFailure, with the weights unchanged, if the loss or
        the gradient is not finite on any rank.
        """
        self.optimizer.zero_grad()
        losses, correct = [], []
        skipped: tuple[str, ...] = ()
        seen: list[Tensor] = []
        for number, (batch, mixed) in enumerate(self._parts(batches, step)):
            last = number == self.micro_batches - 1
            batch_loss, batch_correct = self._forward_backward(*mixed, last)
            losses.append(batch_loss)
            correct.append(batch_correct)
            seen.append(batch.indices)
            skipped += batch.skipped
        loss = torch.stack(losses).sum()
        self._update(loss, step, seen, last_good)
        self.distributed.average(self.buffers)
        return StepResult(loss, torch.stack(correct).sum(), skipped)

    def _parts(
        self, batches: Iterator[Batch], step: int
    ) -> Iterator[tuple[Batch, tuple[Tensor, Tensor]]]:
        """Each micro-batch, and what it trains on: mixed images and targets.

        Images are mixed in this rank's whole part of the batch, so a micro-batch can be
        as small as one image. Without mixing, micro-batches are fetched one by one.
        """
        # Mixing and dropout draw from the global generators. Seeded for each
        # micro-batch, they do not depend on how the run came here.
        coordinates = (self.recipe.seed, step, self.distributed.rank)
        if not self.mix.mixes:
            for number in range(self.micro_batches):
                batch = next(batches)
                reseed(derive("step", *coordinates, number))
                yield batch, (batch.images_BCHW, batch.labels_B)
            return
        parts = [next(batches) for _ in range(self.micro_batches)]
        reseed(derive("step", *coordinates, 0))
        images_BCHW, targets = self.mix(
            torch.cat([part.images_BCHW for part in parts]),
            torch.cat([part.labels_B for part in parts]),
        )
        sizes = [len(part.labels_B) for part in parts]
        mixed = zip(
            torch.split(images_BCHW, sizes), torch.split(targets, sizes), strict=True
        )
        for number, (batch, pair) in enumerate(zip(parts, mixed, strict=True)):
            if number:
                reseed(derive("step", *coordinates, number))
            yield batch, pair

    def _forward_backward(
        self, images_BCHW: Tensor, targets: Tensor, last: bool
    ) -> tuple[Tensor, Tensor]:
        with self._no_sync(last), self.accelerator.weights(self.model):
            logits_BK = self.accelerator.forward(self.ddp_model, images_BCHW)
            require_logits(logits_BK, len(images_BCHW), self.classes)
            loss = F.cross_entropy(
                logits_BK.float(),
                targets,
                label_smoothing=self.recipe.label_smoothing,
                reduction="sum",
            )
            loss = loss / self.recipe.batch
            # DDP takes the mean of the gradients; the loss asks for their sum.
            scaled = self.scaler.scale(loss * self.distributed.world_size)
            torch.autograd.backward(scaled)
        labels_B = targets if targets.ndim == 1 else targets.argmax(1)
        return loss.detach(), (logits_BK.argmax(1) == labels_B).sum()

    def _no_sync(self, last: bool) -> AbstractContextManager[object]:
        """Ranks exchange gradients once per step, in the last backward pass."""
        if isinstance(self.ddp_model, DistributedDataParallel) and not last:
            return self.ddp_model.no_sync()
        return nullcontext()

    def _update(
        self, loss: Tensor, step: int, seen: list[Tensor], last_good: Path | None
    ) -> None:
        self.scaler.unscale_(self.optimizer)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = get_total_norm(gradients)
        # The only wait for the device in a step: without it the update would be under
        # way before anybody knew.
        good, finite = torch.stack((loss.isfinite(), norm.isfinite())).tolist()
        bad, overflow = self.distributed.all_reduce_max(not good, not finite)
        # In fp16 a gradient overflows now and then: the step is skipped and the scale
        # halved. Below 1 it is not the scale that is wrong.
        hopeless = not self.scaler.is_enabled() or self.scaler.get_scale() < 1
        if bad or (overflow and hopeless):
            raise EnvironmentFailure(_not_finite(loss, norm, seen, step, last_good))
        if self.recipe.grad_clip is not None and not overflow:
            clip_grads_with_norm_(self.parameters, self.recipe.grad_clip, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate.at(step)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.ema is not None and not overflow:
            self.ema.update(step)


_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def require_parts(model: nn.Module, job: Job, world_size: int) -> None:
    """Raise UsageError if a batch would be split too finely to train on.

    A rank needs an image, and two to mix. Batch norm needs two values per channel in
    each micro-batch: two images, or one whose map has more than one position.
    """
    batch, micro_batch = job.recipe.batch, job.recipe.micro_batch
    mixes = BatchMixer(job.recipe, job.classes).mixes
    needed = 2 if mixes else 1
    if batch // world_size < needed:
        each = " and 2 images in each part to mix them" if mixes else ""
        raise UsageError(
            f"a batch of {batch:,} images is too few for {world_size:,} processes{each}"
        )
    parts = {
        part.stop - part.start
        for rank in range(world_size)
        for part in BatchSplit(rank, world_size, micro_batch).micro_batches(batch)
    }
    if min(parts) > 1:
        return
    values = _values_per_channel(model, job.image)
    norms = [name for name, count in values.items() if count < 2]
    if norms:
        raise UsageError(
            f"batch norm needs two values per channel, but {norms[0]} would get one: a "
            f"batch of {batch:,} images is trained on in parts of "
            f"{' and '.join(map(str, sorted(parts)))}; change batch or micro_batch"
        )


def _values_per_channel(
    model: nn.Module, image: tuple[int, int, int]
) -> dict[str, int]:
    """How many values of each channel every batch norm sees in one image."""
    found: dict[str, int] = {}

    def note(
        name: str, channels: int, norm: nn.Module, inputs: tuple[Tensor, ...]
    ) -> None:
        found[name] = inputs[0].numel() // channels

    handles = [
        module.register_forward_pre_hook(partial(note, name, module.num_features))
        for name, module in model.named_modules()
        if isinstance(module, _BATCH_NORMS)
    ]
    if not handles:
        return found
    training, device = model.training, next(model.parameters()).device
    model.eval()  # draws nothing and changes no statistics
    try:
        with torch.inference_mode():
            model(torch.zeros(1, *image, device=device))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return found


def require_logits(logits_BK: Tensor, images: int, classes: int) -> None:
    """Raise UsageError unless a model's answer has the shape [images, classes]."""
    if tuple(logits_BK.shape) != (images, classes):
        raise UsageError(
            f"the model gives {tuple(logits_BK.shape)} for {images} images of "
            f"{classes} classes; expected ({images}, {classes})"
        )


def _not_finite(
    loss: Tensor, norm: Tensor, seen: list[Tensor], step: int, last_good: Path | None
) -> str:
    indices = torch.cat(seen)
    first = ", ".join(map(str, indices[:8].tolist()))
    more = ", …" if len(indices) > 8 else ""
    return (
        f"step {step}: loss {loss.item():g}, gradient norm {norm.item():g}; stopped "
        f"before the weights changed. The batch: {len(indices)} images, "
        f"indices {first}{more}. Last good checkpoint: {last_good or 'none yet'}"
    )
