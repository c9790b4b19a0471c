"""Testing a run's weights on held-out images, or on those it was trained on."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.checkpoint import Checkpoint
from s2mlp_dsl.train.device import choose_place
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.job import Evaluation
from s2mlp_dsl.train.measure import measure
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.seeds import lent_generators
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.start import take
from s2mlp_dsl.train.subset import each_once
from s2mlp_dsl.train.world import join


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
) -> Evaluation:
    """Test a run's newest valid checkpoint on its test images, or training images.

    Training images are taken as they are, without augmentation, each once.

    `model` is built like the run's; it gets the checkpoint's weights, averaged
    ones if the recipe averages, and stays on the device. `weight_hash`, if
    given, is held against the run's; with `partial` what fits is taken of weights
    that differ, and `say` is told what that is. Under torchrun the ranks share the
    images and each returns the whole result.

    Raises UsageError if the model is not the run's, EnvironmentFailure if data or
    checkpoint are missing or damaged.
    """
    run = Run.open(run_dir)
    recipe = run.job.recipe
    place = choose_place(device, recipe.precision)
    root = data_root or (Path(run.data_root) if run.data_root else None)
    # Without changes of images, training images come as test images do.
    plain = recipe.model_copy(update={"augment": ()})
    job = run.job.model_copy(update={"recipe": plain})
    data = open_data(job, place.device, root)
    split = data.test if on == "test" else each_once(data)
    found, skipped = load_weights(
        model, run, checkpoint, weight_hash, say=say if partial else None
    )
    model.to(place.device)
    world = join(place.device)
    with lent_generators(place.device), place.numerics(recipe.deterministic):
        result = measure(
            model, split, place, recipe, data.class_names, world, confusion=True
        )
    assert result is not None  # nobody polls, so nobody stops it
    return result.model_copy(
        update={"checkpoint": found.path.name, "skipped": tuple(skipped)}
    )


def load_weights(
    model: nn.Module,
    run: Run,
    path: Path | None,
    weight_hash: str | None,
    *,
    to_train: bool = False,
    say: Callable[[str], None] | None = None,
) -> tuple[Checkpoint, list[str]]:
    """Load a run's checkpoint, or its newest valid one, into the model.

    Where the run averages its weights, the average, unless it is to train on. With
    `say` weights that differ from the model's are loaded as far as they fit, and it
    is told what that is. Returns what was loaded and what was passed over. Raises
    like `evaluate`; the message says every difference in names and shapes.
    """
    found, skipped = _chosen(run, path)
    tensors = found.model if to_train else found.tested
    expected = weight_hash or run.job.weight_hash
    hashes = {expected, run.job.weight_hash, found.state.weight_hash}
    fit = take(model, tensors, str(found.path), partial=say is not None)
    if len(hashes) > 1 and fit.whole:
        raise UsageError(
            f"the model has weights {expected}, the run {run.path} has "
            f"{run.job.weight_hash}, its checkpoint {found.path.name} "
            f"{found.state.weight_hash}; yet names and shapes agree"
        )
    if say is not None and not fit.whole:
        for line in fit.report():
            say(line)
    return found, skipped


def _chosen(run: Run, path: Path | None) -> tuple[Checkpoint, list[str]]:
    if path is not None:
        try:
            return checkpoints.load(path), []
        except checkpoints.Torn as reason:
            raise EnvironmentFailure(
                f"{path} is no valid checkpoint: {reason}"
            ) from reason
    found, skipped = checkpoints.newest(run.path)
    if found is None:
        raise EnvironmentFailure(f"{run.path} has no checkpoint yet")
    return found, skipped
