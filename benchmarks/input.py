"""A folder of JPEGs to batches at 224 px with the paper's augmentation.

    python benchmarks/input.py [--quick] [--files 64] [--workers 0]

Images/s of the loader of `train` compared with plain torchvision and a DataLoader, both
with the same crop, flip, RandAugment, colour jitter, normalisation and erasing, and
MixUp or CutMix of the batch. Without workers one core does everything, so this is
images/s per core; the loaders alternate, a batch each. The JPEGs are generated, 500 ×
375 and about 110 kB, ImageNet's mean.

Then `train` runs on the folder, and the last row is the share of its steps that is
spent waiting for data: a small model on a CPU, with one worker.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from rows import Row, interleaved, main, ratio
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import InterpolationMode, v2

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.data.image_folder import MEAN, STD
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.train import Job, train
from s2mlp_dsl.train.data import BatchMixer, open_data, sampler_of

CLASSES, BATCH = 4, 16
PAPER: list[dict[str, Any]] = [
    {"kind": "random_resized_crop"},
    {"kind": "horizontal_flip"},
    {"kind": "rand_augment", "magnitude": 9},
    {"kind": "color_jitter", "amount": 0.3},
    {"kind": "random_erasing", "p": 0.25},
    {"kind": "mixup", "alpha": 0.8},
    {"kind": "cutmix", "alpha": 1.0},
]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--workers", type=int, default=0)


def rows(given: argparse.Namespace) -> Iterator[Row]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        size = make_folder(root / "data", given.files)
        rounds = 20 if given.quick else 60
        ours, theirs = endless(runners(root / "data", given), root), plain(root, given)
        works = {"ours": lambda: next(ours), "theirs": lambda: next(theirs)}
        taken = interleaved(works, rounds)
        best = {who: BATCH / min(seconds) for who, seconds in taken.items()}
        detail = f"{best['ours']:.0f} against {best['theirs']:.0f} images/s, "
        detail += f"JPEGs of {size / 1e3:.0f} kB, {rounds} batches of {BATCH}"
        found = ratio(taken["theirs"], taken["ours"])
        name = f"images/s with {given.workers} workers / torchvision"
        yield Row(name, found, "×", 0.95, at_least=True, detail=detail)
        yield Row(
            "images/s of one core", best["ours"], "/s", detail="the fastest batch"
        )
        share = waiting(root)
        detail = "a step of 16 images, s2mlp 192 wide and 4 deep, 1 worker, CPU"
        yield Row("share of a step that waits for data", share, "", detail=detail)


def make_folder(root: Path, files: int) -> float:
    """`train/` and `val/` of so many JPEGs; returns their mean size in bytes."""
    generator, sizes = torch.Generator().manual_seed(0), []
    for part, count in (("train", files), ("val", CLASSES)):
        for number in range(count):
            path = root / part / str(number % CLASSES) / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(generator))
            sizes.append(path.stat().st_size)
    return sum(sizes) / len(sizes)


def jpeg(generator: torch.Generator) -> bytes:
    """Noise of every scale, as photographs have it."""
    picture = torch.zeros(3, 375, 500)
    for side in (4, 12, 40, 120, 375):
        coarse = torch.rand(1, 3, side, side, generator=generator)
        scale = 0.4 if side == 375 else 0.45
        spread = torch.nn.functional.interpolate(coarse, (375, 500), mode="bilinear")
        picture += scale * spread[0]
    pixels = (picture / picture.max() * 255).byte().permute(1, 2, 0).numpy()
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def recipe(**changes: object) -> Recipe:
    plain: dict[str, object] = {
        "data": {"kind": "folder"},
        "epochs": 1,
        "batch": BATCH,
        "augment": PAPER,
    }
    return Recipe.model_validate(plain | changes)


def runners(root: Path, given: argparse.Namespace) -> Iterator[Any]:
    """The batches `train` would see."""
    chosen = recipe(epochs=100_000, workers=given.workers)
    data = open_data(job(chosen), torch.device("cpu"), root)
    wanted = sampler_of(chosen, data.train.images).batches(0)
    mix = BatchMixer(chosen, CLASSES)
    for batch in data.train.batches(wanted):
        yield mix(batch.images_BCHW, batch.labels_B)


def endless(batches: Iterator[Any], root: Path) -> Iterator[Any]:
    images, targets = next(batches)
    assert images.shape == (BATCH, 3, 224, 224), (root, images.shape)
    assert targets.shape == (BATCH, CLASSES)
    yield images, targets
    yield from batches


def plain(root: Path, given: argparse.Namespace) -> Iterator[Any]:
    """What anybody would write with torchvision."""
    bicubic = InterpolationMode.BICUBIC
    change = v2.Compose(
        [
            v2.PILToTensor(),
            v2.RandomResizedCrop(224, interpolation=bicubic, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandAugment(2, 9),
            v2.ColorJitter(0.3, 0.3, 0.3),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
            v2.RandomErasing(0.25, value="random"),
        ]
    )
    files = ImageFolder(root / "data/train", change)
    loader = DataLoader(
        files,
        BATCH,
        shuffle=True,
        num_workers=given.workers,
        drop_last=True,
        persistent_workers=given.workers > 0,
    )
    mix = v2.RandomChoice(
        [v2.MixUp(alpha=0.8, num_classes=CLASSES), v2.CutMix(num_classes=CLASSES)]
    )
    while True:
        for images, labels in loader:
            yield mix(images, labels)


def job(chosen: Recipe) -> Job:
    return Job(
        model_name="s2mlp",
        spec="specs/s2mlp.arch",
        image=(3, 224, 224),
        classes=CLASSES,
        function_hash="",
        weight_hash="",
        model_text="",
        recipe=chosen,
        recipe_name="input",
    )


def waiting(root: Path) -> float:
    sizes = {"width": "192", "depth": "4", "classes": str(CLASSES)}
    model = elaborate("specs/s2mlp.arch", settings=sizes).build()
    run = root / "run"
    chosen = recipe(epochs=2, workers=1)
    train(model, job(chosen), run, data_root=root / "data", device="cpu", quiet=True)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    epochs = [one for one in map(json.loads, lines) if one["event"] == "epoch"]
    return float(epochs[-1]["time"]["data_wait_share"])


if __name__ == "__main__":
    main(rows, __doc__, add_options)
