"""Accuracy, loss and confusions of a model, over any number of processes."""

import math
from collections.abc import Callable
from contextlib import closing

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train.data import Batch, Split
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.errors import EnvironmentFailure
from s2mlp_dsl.train.job import ClassAccuracy, Evaluation
from s2mlp_dsl.train.order import Share, in_order
from s2mlp_dsl.train.seeds import derive, reseed
from s2mlp_dsl.train.step import checked
from s2mlp_dsl.train.world import World

FEW = 5  # guesses of which one may be right
MOST_CONFUSED = 2_000  # classes; a matrix of more is too large to keep


class _Counts:
    """What a rank has seen so far, on the device."""

    def __init__(self, classes: int, matrix: bool, device: torch.device) -> None:
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.right_K = torch.zeros(classes, dtype=torch.long, device=device)
        self.seen_K = torch.zeros_like(self.right_K)
        self.in_few = torch.zeros((), dtype=torch.long, device=device)
        self.unreadable = torch.zeros((), dtype=torch.long, device=device)
        self.matrix_KK = self.right_K.new_zeros(classes, classes) if matrix else None

    def add(self, logits_BK: Tensor, batch: Batch) -> None:
        labels_B, classes = batch.labels_B, len(self.seen_K)
        losses_B = F.cross_entropy(logits_BK, labels_B, reduction="none")
        guesses_B = logits_BK.argmax(1)
        few_B = _among(logits_BK, labels_B)
        if batch.counted_B is not None:
            keep_B = batch.counted_B
            losses_B = losses_B[keep_B]
            labels_B, guesses_B = labels_B[keep_B], guesses_B[keep_B]
            few_B = few_B[keep_B]
        self.loss += losses_B.double().sum()
        self.in_few += few_B.sum()
        hits_B = labels_B[guesses_B == labels_B]
        self.right_K += torch.bincount(hits_B, minlength=classes)
        self.seen_K += torch.bincount(labels_B, minlength=classes)
        self.unreadable += len(batch.skipped)
        if self.matrix_KK is not None:
            cells = torch.bincount(labels_B * classes + guesses_B, minlength=classes**2)
            self.matrix_KK += cells.reshape(classes, classes)

    def all_ranks(self, world: World) -> "_Counts":
        counted = (self.loss, self.right_K, self.seen_K, self.in_few, self.unreadable)
        for tensor in counted:
            world.add_up(tensor)
        if self.matrix_KK is not None:
            world.add_up(self.matrix_KK)
        return self


def _among(logits_BK: Tensor, labels_B: Tensor) -> Tensor:
    """Whether each label is among the few likeliest classes, bool [B]."""
    likeliest = logits_BK.topk(min(FEW, logits_BK.shape[1])).indices
    return (likeliest == labels_B[:, None]).any(1)


def measure(
    model: nn.Module,
    split: Split,
    place: Place,
    recipe: Recipe,
    class_names: tuple[str, ...],
    world: World,
    *,
    confusion: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluation | None:
    """Test a model on all images of a split, each counted once.

    Every rank calls this with its own model and gets the whole result; `stopped`
    must answer alike on all. None if it came true in between. Sums stay on the
    device until the end. Raises EnvironmentFailure if the loss is not finite.
    """
    classes, training = len(class_names), model.training
    counts = _Counts(classes, confusion and classes <= MOST_CONFUSED, place.device)
    share = Share(world.rank, world.size, recipe.micro_batch)
    size = share.test_batch(recipe.batch)
    requests = in_order(split.images, size, world.rank, world.size)
    reseed(derive("test", recipe.seed))
    model.eval()
    try:
        with (
            torch.inference_mode(),
            place.lent(model),
            closing(split.batches(requests)) as batches,
        ):
            for batch in batches:
                logits_BK = place.forward(model, batch.images_BCHW)
                images = len(batch.labels_B)
                counts.add(checked(logits_BK, images, classes).float(), batch)
                if stopped():
                    return None
    finally:
        model.train(training)
    return _evaluation(counts.all_ranks(world), class_names)


def _evaluation(counts: _Counts, names: tuple[str, ...]) -> Evaluation:
    right, seen = counts.right_K.tolist(), counts.seen_K.tolist()
    images, correct, loss = sum(seen), sum(right), counts.loss.item()
    if not images:
        raise EnvironmentFailure("not one test image can be read")
    if not math.isfinite(loss):
        raise EnvironmentFailure(f"the loss over {images:,} test images is {loss}")
    matrix_KK = counts.matrix_KK
    return Evaluation(
        accuracy=correct / images,
        top5=counts.in_few.item() / images,
        loss=loss / images,
        images=images,
        correct=correct,
        unreadable=int(counts.unreadable),
        classes=tuple(
            ClassAccuracy(name=n, images=s, correct=r, accuracy=r / s if s else None)
            for n, r, s in zip(names, right, seen, strict=True)
        ),
        confusion=None if matrix_KK is None else matrix_KK.tolist(),
    )
