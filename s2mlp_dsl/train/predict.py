"""The likeliest classes of image files."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from s2mlp_dsl.train.device import choose_place
from s2mlp_dsl.train.errors import EnvironmentFailure
from s2mlp_dsl.train.evaluate import load_weights
from s2mlp_dsl.train.job import Guess, Prediction
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.step import checked

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


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
) -> list[Prediction]:
    """Classify image files with a run's newest valid checkpoint.

    A file becomes what the run was tested on: the model's channels and size,
    the same normalisation. Digits are light on dark. `top` is the number of
    guesses, at most all classes; `partial` and `say` are `evaluate`'s. Raises
    EnvironmentFailure naming a file that cannot be read, and what `evaluate` raises.
    """
    run = Run.open(run_dir)
    place = choose_place(device, run.job.recipe.precision)
    found, _ = load_weights(
        model, run, checkpoint, weight_hash, say=say if partial else None
    )
    model.to(place.device)
    training = model.training
    model.eval()
    predictions = []
    try:
        with torch.inference_mode(), place.lent(model):
            for path in paths:
                image_1CHW = run.preprocess.from_file(path)[None].to(place.device)
                logits_BK = place.forward(model, image_1CHW)
                checked(logits_BK, 1, run.job.classes)
                guesses = _best(logits_BK[0], run.class_names, top)
                predictions.append(
                    Prediction(path=str(path), checkpoint=found.path.name, top=guesses)
                )
    finally:
        model.train(training)
    return predictions


def image_files(paths: list[Path]) -> list[Path]:
    """The files among the paths, and the images below the folders, by name.

    Raises EnvironmentFailure for a folder without any image.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        if not inside:
            raise EnvironmentFailure(f"{path} holds no image ({', '.join(SUFFIXES)})")
        files += inside
    return files


def _best(
    logits_K: torch.Tensor, names: tuple[str, ...], top: int
) -> tuple[Guess, ...]:
    shares_K = logits_K.float().softmax(0)
    values, places = shares_K.topk(min(max(top, 1), len(names)))
    return tuple(
        Guess(name=names[place], index=place, probability=value)
        for value, place in zip(values.tolist(), places.tolist(), strict=True)
    )
