"""Testing a model on a split, testing a run's weights, and classifying image files."""

import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.data.batch import Batch, Split
from s2mlp_dsl.data.image_files import SUFFIXES, find_images, shown
from s2mlp_dsl.data.matched import match_classes
from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.data.seeds import derive, fork_generators, reseed
from s2mlp_dsl.data.subset import First
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.train.data import open_data
from s2mlp_dsl.train.device import Accelerator, choose_accelerator
from s2mlp_dsl.train.distributed import Distributed, init_distributed
from s2mlp_dsl.train.job import ClassAccuracy, Evaluation, Guess, Prediction
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.step import require_logits
from s2mlp_dsl.train.weights import load_checkpoint

TOP = 5  # classes among which a label counts for `top5`
MOST_CONFUSED = 2_000  # classes; a confusion matrix of more is too large to keep


def evaluate(
    model: nn.Module,
    run_dir: Path,
    *,
    data_root: Path | None = None,
    device: str | None = None,
    checkpoint: Path | None = None,
    weight_hash: str | None = None,
    on: Literal["test", "train"] = "test",
    partial: bool = False,
    say: Callable[[str], None] = print,
    failed: Callable[[str], None] = lambda reason: None,
) -> Evaluation:
    """Test a run's newest valid checkpoint on its test images, or training images.

    Training images come without augmentation, each once. Classes of other data are
    matched by name; what does not match, and which files are not used, is told to
    `say` and kept in the result. `model` is built like the run's; it gets the
    checkpoint's weights, averaged ones if the recipe averages, and stays on the device.
    `weight_hash`, if given, is compared with the run's; with `partial`, weights that
    differ are loaded as far as they fit, and `say` is told what differs. `failed` is
    told of each image that the recipe skips, as it cannot be read. Under torchrun the
    ranks share the images and each returns the whole result.

    Raises UsageError if the model is not the run's or no class is, EnvironmentFailure
    if data or checkpoint are missing or damaged.
    """
    run = Run.open(run_dir)
    recipe = run.job.recipe
    accelerator = choose_accelerator(device, recipe.precision)
    split, left_out = _images(run, accelerator, data_root, on)
    for line in left_out:
        say(line)
    found, skipped = load_checkpoint(
        model, run, checkpoint, weight_hash, say=say if partial else None
    )
    model.to(accelerator.device)
    distributed = init_distributed(accelerator.device)
    with (
        fork_generators(accelerator.device),
        accelerator.numerics(recipe.deterministic),
    ):
        result = measure(
            model,
            split,
            accelerator,
            recipe,
            run.class_names,
            distributed,
            confusion=True,
            failed=failed,
        )
    assert result is not None  # nobody polls, so nobody stops it
    told = {"checkpoint": found.path.name, "skipped": tuple(skipped)}
    return result.model_copy(update={**told, "left_out": left_out})


def _images(
    run: Run,
    accelerator: Accelerator,
    data_root: Path | None,
    on: Literal["test", "train"],
) -> tuple[Split, tuple[str, ...]]:
    """The images to test on, with the run's classes, and what is not used of them."""
    root = data_root or (Path(run.data_root) if run.data_root else None)
    plain = run.job.recipe.model_copy(update={"augment": ()})
    job = run.job.model_copy(update={"recipe": plain})
    data = open_data(job, accelerator.device, root, any_classes=True)
    half = data.test if on == "test" else First(data.train, data.train_images)
    split, unmatched = match_classes(half, data.class_names, run.class_names)
    return split, (*data.left_out, *unmatched)


def measure(
    model: nn.Module,
    split: Split,
    accelerator: Accelerator,
    recipe: Recipe,
    class_names: tuple[str, ...],
    distributed: Distributed,
    *,
    confusion: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    failed: Callable[[str], None] = lambda reason: None,
) -> Evaluation | None:
    """Test a model on all images of a split, each counted once.

    Every rank calls this with its own model and gets the whole result. `stopped` is
    asked after each batch and must answer alike on all ranks; if it is true, the
    result is None. `failed` is told of each image of this rank that cannot be read.
    Raises EnvironmentFailure if the loss is not finite.
    """
    classes, training = len(class_names), model.training
    counts = _Counts(classes, confusion and classes <= MOST_CONFUSED, accelerator)
    batch_split = BatchSplit(
        distributed.rank, distributed.world_size, recipe.micro_batch
    )
    wanted = batch_split.evaluation(split.images, recipe.batch)
    reseed(derive("test", recipe.seed))
    model.eval()
    try:
        with (
            torch.inference_mode(),
            accelerator.weights(model),
            closing(split.batches(wanted)) as batches,
        ):
            for batch in batches:
                logits_BK = accelerator.forward(model, batch.images_BCHW)
                require_logits(logits_BK, len(batch.labels_B), classes)
                counts.add(logits_BK.float(), batch)
                for reason in batch.skipped:
                    failed(reason)
                if stopped():
                    return None
    finally:
        model.train(training)
    return counts.evaluation(distributed, class_names)


class _Counts:
    """What a rank has seen so far, on the device until the end."""

    def __init__(self, classes: int, matrix: bool, accelerator: Accelerator) -> None:
        device = accelerator.device
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.correct_K = torch.zeros(classes, dtype=torch.long, device=device)
        self.images_K = torch.zeros_like(self.correct_K)
        self.top = torch.zeros((), dtype=torch.long, device=device)
        self.unreadable = torch.zeros((), dtype=torch.long, device=device)
        self.matrix_KK = self.correct_K.new_zeros(classes, classes) if matrix else None

    def add(self, logits_BK: Tensor, batch: Batch) -> None:
        labels_B, classes = batch.labels_B, len(self.images_K)
        losses_B = F.cross_entropy(logits_BK, labels_B, reduction="none")
        predicted_B = logits_BK.argmax(1)
        top_BT = logits_BK.topk(min(TOP, classes)).indices
        in_top_B = (top_BT == labels_B[:, None]).any(1)
        if batch.counted_B is not None:
            counted_B = batch.counted_B
            losses_B, in_top_B = losses_B[counted_B], in_top_B[counted_B]
            labels_B, predicted_B = labels_B[counted_B], predicted_B[counted_B]
        self.loss += losses_B.double().sum()
        self.top += in_top_B.sum()
        correct_B = labels_B[predicted_B == labels_B]
        self.correct_K += torch.bincount(correct_B, minlength=classes)
        self.images_K += torch.bincount(labels_B, minlength=classes)
        self.unreadable += len(batch.skipped)
        if self.matrix_KK is not None:
            cells = labels_B * classes + predicted_B
            counts = torch.bincount(cells, minlength=classes**2)
            self.matrix_KK += counts.reshape(classes, classes)

    def evaluation(
        self, distributed: Distributed, names: tuple[str, ...]
    ) -> Evaluation:
        """The result over all ranks."""
        for tensor in vars(self).values():
            if tensor is not None:
                distributed.all_reduce_sum(tensor)
        correct_of, images_of = self.correct_K.tolist(), self.images_K.tolist()
        images, correct, loss = sum(images_of), sum(correct_of), self.loss.item()
        if not images:
            raise EnvironmentFailure("not one test image can be read")
        if not math.isfinite(loss):
            raise EnvironmentFailure(f"the loss over {images:,} test images is {loss}")
        return Evaluation(
            accuracy=correct / images,
            top5=self.top.item() / images,
            loss=loss / images,
            images=images,
            correct=correct,
            unreadable=int(self.unreadable),
            classes=tuple(
                ClassAccuracy(
                    name=name, images=n, correct=hits, accuracy=hits / n if n else None
                )
                for name, n, hits in zip(names, images_of, correct_of, strict=True)
            ),
            confusion=None if self.matrix_KK is None else self.matrix_KK.tolist(),
        )


def predict(
    model: nn.Module,
    run_dir: Path,
    paths: list[Path],
    top: int = 5,
    *,
    device: str | None = None,
    checkpoint: Path | None = None,
    weight_hash: str | None = None,
    partial: bool = False,
    say: Callable[[str], None] = print,
    failed: Callable[[str], None] | None = None,
) -> list[Prediction]:
    """Classify image files with a run's newest valid checkpoint.

    A file is brought to the input that the run was tested on: the model's channels
    and size, the same normalisation. Digits are light on dark. `top` is the number of
    guesses, at most all classes; `partial` and `say` are those of `evaluate`. Of a file
    that cannot be read `failed` is told why, and the others are classified; without
    `failed`, EnvironmentFailure names it. Raises like `evaluate` too.
    """
    run = Run.open(run_dir)
    accelerator = choose_accelerator(device, run.job.recipe.precision)
    found, _ = load_checkpoint(
        model, run, checkpoint, weight_hash, say=say if partial else None
    )
    model.to(accelerator.device)
    training = model.training
    model.eval()
    predictions = []
    try:
        with torch.inference_mode(), accelerator.weights(model):
            for path in paths:
                try:
                    image_CHW = run.preprocess.from_file(path)
                except EnvironmentFailure as error:
                    if failed is None:
                        raise
                    failed(str(error))
                    continue
                image_1CHW = image_CHW[None].to(accelerator.device)
                logits_1K = accelerator.forward(model, image_1CHW)
                require_logits(logits_1K, 1, run.job.classes)
                guesses = _best(logits_1K[0], run.class_names, top)
                predictions.append(
                    Prediction(
                        path=shown(path), checkpoint=found.path.name, top=guesses
                    )
                )
    finally:
        model.train(training)
    return predictions


def _best(logits_K: Tensor, names: tuple[str, ...], top: int) -> tuple[Guess, ...]:
    probabilities_K = logits_K.float().softmax(0)
    values, indices = probabilities_K.topk(min(max(top, 1), len(names)))
    return tuple(
        Guess(name=names[index], index=index, probability=value)
        for value, index in zip(values.tolist(), indices.tolist(), strict=True)
    )


def image_files(
    paths: list[Path],
    say: Callable[[str], None] = lambda line: None,
    failed: Callable[[str], None] | None = None,
) -> list[Path]:
    """The files among the paths, and the images in the folders, by name.

    `data/image_files.py` has the rule; `say` is told what is left out. Of a folder that
    cannot be read, or has no image, `failed` is told; without `failed`,
    EnvironmentFailure names it.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = find_images(path)
        for line in inside.notes(path):
            say(line)
        failures = inside.failures
        if not inside.files and not failures:
            failures = [f"{shown(path)} has no image ({', '.join(SUFFIXES)})"]
        for failure in failures:
            if failed is None:
                raise EnvironmentFailure(failure)
            failed(failure)
        files += inside.files
    return files
