"""One optimizer step: forward and backward in parts, check, update."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train.average import Average
from s2mlp_dsl.train.data import Batch
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.mix import Mix
from s2mlp_dsl.train.optimizer import build_optimizer
from s2mlp_dsl.train.order import Share
from s2mlp_dsl.train.schedule import Schedule
from s2mlp_dsl.train.seeds import derive, reseed
from s2mlp_dsl.train.world import World


@dataclass(frozen=True)
class Done:
    """This rank's share of a step: of the batch's mean loss, and right answers.

    Both stay on the device. `skipped` names unreadable files.
    """

    loss: Tensor
    correct: Tensor
    skipped: tuple[str, ...]


class Stepper:
    """Applies a recipe to a model, one batch at a time.

    The batch's loss is a sum over images divided by the whole batch, so it does
    not matter how ranks and parts divide it.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        classes: int,
        schedule: Schedule,
        place: Place,
        world: World | None = None,
    ) -> None:
        self.recipe, self.schedule, self.classes = recipe, schedule, classes
        self.place, self.world = place, world or World(device=place.device)
        share = Share(self.world.rank, self.world.size, recipe.micro_batch)
        self.parts = len(share.parts(recipe.batch))
        self.mix = Mix(recipe, classes)
        self.optimizer = build_optimizer(model, recipe.optimizer)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.average = None if recipe.ema is None else Average(model, recipe.ema)
        self.scaler = torch.amp.GradScaler(
            place.device.type, enabled=place.precision == "fp16"
        )
        self.net = self.model = model
        if self.world.size > 1:
            self.model = DistributedDataParallel(model, gradient_as_bucket_view=True)

    def __call__(
        self, batches: Iterator[Batch], step: int, last_good: Path | None
    ) -> Done:
        """Train on one batch, taken from `batches` in parts.

        An answer to a mixed image is right if it names the class with the
        larger share. Raises EnvironmentFailure, with the weights unchanged, if the
        loss or the gradient is not finite on any rank.
        """
        self.optimizer.zero_grad()
        losses, rights = [], []
        skipped: tuple[str, ...] = ()
        seen: list[Tensor] = []
        for part in range(self.parts):
            batch = next(batches)
            # Mixing and dropout draw from the global generators. Set at each
            # part, they do not depend on how the run came here.
            reseed(derive("step", self.recipe.seed, step, self.world.rank, part))
            loss, correct = self._forward_backward(batch, part == self.parts - 1)
            losses.append(loss)
            rights.append(correct)
            seen.append(batch.indices)
            skipped += batch.skipped
        loss = torch.stack(losses).sum()
        self._update(loss, step, seen, last_good)
        return Done(loss, torch.stack(rights).sum(), skipped)

    def _forward_backward(self, batch: Batch, last: bool) -> tuple[Tensor, Tensor]:
        images_BCHW, targets = self.mix(batch.images_BCHW, batch.labels_B)
        apart = self._apart() if not last else nullcontext()
        with apart, self.place.lent(self.net):
            logits_BK = self.place.forward(self.model, images_BCHW)
            checked(logits_BK, len(images_BCHW), self.classes)
            loss = F.cross_entropy(
                logits_BK.float(),
                targets,
                label_smoothing=self.recipe.smoothing,
                reduction="sum",
            )
            loss = loss / self.recipe.batch
            # DDP takes the mean of the gradients; the loss asks for their sum.
            torch.autograd.backward(self.scaler.scale(loss * self.world.size))
        labels_B = targets if targets.ndim == 1 else targets.argmax(1)
        return loss.detach(), (logits_BK.argmax(1) == labels_B).sum()

    def _apart(self) -> AbstractContextManager[object]:
        """Ranks exchange gradients once per step, in the backward of its last part."""
        if isinstance(self.model, DistributedDataParallel):
            return self.model.no_sync()
        return nullcontext()

    def _update(
        self, loss: Tensor, step: int, seen: list[Tensor], last_good: Path | None
    ) -> None:
        self.scaler.unscale_(self.optimizer)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = get_total_norm(gradients)
        # The one reading per step: without it the update would be under way
        # before anybody knew.
        good, finite = torch.stack((loss.isfinite(), norm.isfinite())).tolist()
        bad, overflow = self.world.most(not good, not finite)
        # In fp16 a gradient overflows now and then: the step is left out and the
        # scale halved. Below 1 the scale is not what is wrong.
        hopeless = not self.scaler.is_enabled() or self.scaler.get_scale() < 1
        if bad or (overflow and hopeless):
            raise EnvironmentFailure(_not_finite(loss, norm, seen, step, last_good))
        if self.recipe.clip is not None and not overflow:
            clip_grads_with_norm_(self.parameters, self.recipe.clip, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.at(step)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None and not overflow:
            self.average.update(step)


def checked(logits_BK: Tensor, images: int, classes: int) -> Tensor:
    """The model's answer, if it has the promised shape [images, classes]."""
    if tuple(logits_BK.shape) != (images, classes):
        raise UsageError(
            f"the model gives {tuple(logits_BK.shape)} for {images} images of "
            f"{classes} classes; expected ({images}, {classes})"
        )
    return logits_BK


def _not_finite(
    loss: Tensor, norm: Tensor, seen: list[Tensor], step: int, last_good: Path | None
) -> str:
    indices = torch.cat(seen)
    first = ", ".join(map(str, indices[:8].tolist()))
    more = ", …" if len(indices) > 8 else ""
    return (
        f"step {step}: loss {loss.item():g}, gradient norm {norm.item():g}; stopped "
        f"before the weights changed. The batch: {len(indices)} images, "
        f"numbers {first}{more}. Last good checkpoint: {last_good or 'none yet'}"
    )
