"""Testing a model on held-out images."""

import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.checkpoint import Checkpoint
from s2mlp_dsl.train.data import Split
from s2mlp_dsl.train.device import Place, choose_place
from s2mlp_dsl.train.errors import UsageError, WorldError
from s2mlp_dsl.train.job import ClassAccuracy, Evaluation
from s2mlp_dsl.train.order import in_order
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.seeds import derive, lent_generators, reseed
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.step import checked


def evaluate(
    model: nn.Module,
    run_dir: Path,
    *,
    data_root: Path | None = None,
    device: str | None = None,
    checkpoint: Path | None = None,
    weight_hash: str | None = None,
) -> Evaluation:
    """Test a run's newest valid checkpoint on its test images.

    `model` is built like the run's; it gets the checkpoint's weights and stays
    on the device. `weight_hash`, if given, is held against the run's.
    Raises UsageError if the model is not the run's, WorldError if data or
    checkpoint are missing or damaged.
    """
    run = Run.open(run_dir)
    recipe = run.job.recipe
    place = choose_place(device, recipe.precision)
    root = data_root or (Path(run.data_root) if run.data_root else None)
    data = open_data(run.job, place.device, root)
    found, skipped = load_weights(model, run, checkpoint, weight_hash)
    model.to(place.device)
    with lent_generators(place.device):
        result = measure(model, data.test, place, recipe, data.class_names)
    assert result is not None  # nobody polls, so nobody stops it
    return result.model_copy(
        update={"checkpoint": found.path.name, "skipped": tuple(skipped)}
    )


def load_weights(
    model: nn.Module, run: Run, path: Path | None, weight_hash: str | None
) -> tuple[Checkpoint, list[str]]:
    """Load a run's checkpoint, or its newest valid one, into the model.

    Returns what was loaded and what was passed over. Raises like `evaluate`.
    """
    if weight_hash is not None and weight_hash != run.job.weight_hash:
        raise UsageError(
            f"the model has weights {weight_hash}, the run {run.path} has "
            f"{run.job.weight_hash}"
        )
    found, skipped = _chosen(run, path)
    if found.state.weight_hash != run.job.weight_hash:
        raise WorldError(f"{found.path} belongs to another run: its weights differ")
    try:
        model.load_state_dict(found.model)
    except RuntimeError as error:
        raise UsageError(f"the model does not fit {found.path}: {error}") from error
    return found, skipped


def _chosen(run: Run, path: Path | None) -> tuple[Checkpoint, list[str]]:
    if path is not None:
        try:
            return checkpoints.load(path), []
        except checkpoints.Torn as reason:
            raise WorldError(f"{path} is no valid checkpoint: {reason}") from reason
    found, skipped = checkpoints.newest(run.path)
    if found is None:
        raise WorldError(f"{run.path} has no checkpoint yet")
    return found, skipped


def measure(
    model: nn.Module,
    split: Split,
    place: Place,
    recipe: Recipe,
    class_names: tuple[str, ...],
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluation | None:
    """Test a model on all images of a split, each counted once.

    None if `stopped` came true in between. Sums stay on the device until the
    end. Raises WorldError if the loss is not finite.
    """
    classes, training = len(class_names), model.training
    right_K = torch.zeros(classes, dtype=torch.long, device=place.device)
    seen_K = torch.zeros_like(right_K)
    loss = torch.zeros((), device=place.device)
    reseed(derive("test", recipe.seed))
    model.eval()
    try:
        with (
            torch.inference_mode(),
            closing(split.batches(in_order(split.images, recipe.batch))) as batches,
        ):
            for batch in batches:
                labels_B = batch.labels_B
                with place.autocast():
                    logits_BK = model(batch.images_BCHW)
                logits_BK = checked(logits_BK, len(labels_B), classes).float()
                loss += F.cross_entropy(logits_BK, labels_B, reduction="sum")
                hits_B = labels_B[logits_BK.argmax(1) == labels_B]
                right_K += torch.bincount(hits_B, minlength=classes)
                seen_K += torch.bincount(labels_B, minlength=classes)
                if stopped():
                    return None
    finally:
        model.train(training)
    return _evaluation(loss.item(), right_K.tolist(), seen_K.tolist(), class_names)


def _evaluation(
    loss: float, right: list[int], seen: list[int], names: tuple[str, ...]
) -> Evaluation:
    images, correct = sum(seen), sum(right)
    if not math.isfinite(loss):
        raise WorldError(f"the loss over {images:,} test images is {loss}")
    return Evaluation(
        accuracy=correct / images,
        loss=loss / images,
        images=images,
        correct=correct,
        classes=tuple(
            ClassAccuracy(name=n, images=s, correct=r, accuracy=r / s if s else None)
            for n, r, s in zip(names, right, seen, strict=True)
        ),
    )
