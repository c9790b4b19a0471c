"""One optimizer step: forward, backward, check, update."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train.data import Batch
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.errors import UsageError, WorldError
from s2mlp_dsl.train.mix import Mix
from s2mlp_dsl.train.optimizer import build_optimizer
from s2mlp_dsl.train.schedule import Schedule
from s2mlp_dsl.train.seeds import derive, reseed


class Stepper:
    """Applies a recipe to a model, one batch at a time."""

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        classes: int,
        schedule: Schedule,
        place: Place,
    ) -> None:
        self.model, self.recipe, self.schedule = model, recipe, schedule
        self.classes, self.place = classes, place
        self.mix = Mix(recipe, classes)
        self.optimizer = build_optimizer(model, recipe.optimizer)
        self.parameters = [p for p in model.parameters() if p.requires_grad]

    def __call__(
        self, batch: Batch, step: int, last_good: Path | None
    ) -> tuple[Tensor, Tensor]:
        """Train on one batch; returns its loss and number of right answers.

        Both stay on the device. An answer to a mixed image is right if it
        names the class with the larger share. Raises WorldError, with the
        weights unchanged, if the loss or the gradient is not finite.
        """
        # Mixing and dropout draw from the global generators. Set at each step,
        # they do not depend on how the run came here.
        reseed(derive("step", self.recipe.seed, step))
        images_BCHW, targets = self.mix(batch.images_BCHW, batch.labels_B)
        with self.place.autocast():
            logits_BK = checked(self.model(images_BCHW), len(images_BCHW), self.classes)
        loss = F.cross_entropy(
            logits_BK.float(), targets, label_smoothing=self.recipe.smoothing
        )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._guard_and_clip(loss, batch, step, last_good)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.at(step)
        self.optimizer.step()
        labels_B = targets if targets.ndim == 1 else targets.argmax(1)
        return loss.detach(), (logits_BK.argmax(1) == labels_B).sum()

    def _guard_and_clip(
        self, loss: Tensor, batch: Batch, step: int, last_good: Path | None
    ) -> None:
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = get_total_norm(gradients)
        # The one reading per step: without it the update would be under way
        # before anybody knew.
        if not (torch.isfinite(loss) & torch.isfinite(norm)).item():
            raise WorldError(_not_finite(loss, norm, batch, step, last_good))
        if self.recipe.clip is not None:
            clip_grads_with_norm_(self.parameters, self.recipe.clip, norm)


def checked(logits_BK: Tensor, images: int, classes: int) -> Tensor:
    """The model's answer, if it has the promised shape [images, classes]."""
    if tuple(logits_BK.shape) != (images, classes):
        raise UsageError(
            f"the model gives {tuple(logits_BK.shape)} for {images} images of "
            f"{classes} classes; expected ({images}, {classes})"
        )
    return logits_BK


def _not_finite(
    loss: Tensor, norm: Tensor, batch: Batch, step: int, last_good: Path | None
) -> str:
    first = ", ".join(map(str, batch.indices[:8].tolist()))
    more = ", …" if len(batch.indices) > 8 else ""
    return (
        f"step {step}: loss {loss.item():g}, gradient norm {norm.item():g}; stopped "
        f"before the weights changed. The batch: {len(batch.indices)} images, "
        f"numbers {first}{more}. Last good checkpoint: {last_good or 'none yet'}"
    )
