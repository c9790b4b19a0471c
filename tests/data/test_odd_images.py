"""Odd files and folders: each is used, or named, or counted; none is misread."""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.data.image_files import find_images, shown
from s2mlp_dsl.data.image_folder import Folders
from s2mlp_dsl.data.images import Preprocess, cover, read_image
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.train import Run
from s2mlp_dsl.train.logger import MOST_NAMED
from tests.cli.running import s2mlp

from .odd_images import Fate, Odd, in_files, upright
from .odd_places import left_out, links
from .permissions import without_privileges

CLASSES = ("plain", "caf\udce9", "new\nline [red] 'q'.png")
SIDE = 24
SPEC = f"""edition 1
model tiny {{
    image(3, {SIDE}, {SIDE})
    patch(8, 4)
    gelu
    pool(mean)
    linear(3)
}}
recipe odd {{
    data = folder
    epochs = 1
    batch = BATCH
    micro_batch = 32
    schedule = cosine(warmup = 0, min_lr = 0)
    corrupt = skip
    workers = 0
}}
"""


@dataclass(frozen=True)
class Placed:
    """An odd file in `train` or `val`."""

    odd: Odd
    part: str
    path: Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd") / "data"


@pytest.fixture(scope="module")
def placed(root: Path) -> list[Placed]:
    """All of them, spread over the classes of both halves."""
    found = []
    for number, odd in enumerate([*in_files(), *links(), *left_out()]):
        part = ("train", "val")[number % 2]
        folder = root / part / CLASSES[number // 2 % 3]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / odd.name
        assert not os.path.lexists(path), path
        odd.write(path)
        found.append(Placed(odd, part, path))
    return found


def read_with_pillow(path: Path, channels: int) -> np.ndarray:
    """The first image, upright, uint8 [height, width, channels]."""
    with Image.open(path) as image:
        image.load()  # which turns a TIFF, and forgets its orientation
        orientation = image.getexif().get(0x0112, 1)
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        if image.mode.startswith("I"):  # the high byte, which Pillow would clip
            pixels = np.asarray(image) // 256
            image = Image.fromarray(pixels.astype(np.uint8))
        if image.mode == "LAB":
            image = image.convert("RGB")
        pixels = np.asarray(image.convert(mode)).reshape(
            image.height, image.width, channels
        )
    return upright(pixels, orientation)


def fit_with_pillow(pixels: np.ndarray) -> np.ndarray:
    """What a model of SIDE × SIDE gets of a picture, as docs/training.md says."""
    height, width = pixels.shape[:2]
    # The same number of lines is lost at both ends.
    top, left = max(0, height - 8 * width) // 2, max(0, width - 8 * height) // 2
    pixels = pixels[top : height - top, left : width - left]
    rows, columns = pixels.shape[:2]
    least = round(SIDE * 256 / 224)
    scale = least / min(rows, columns)
    size = (max(least, int(columns * scale)), max(least, int(rows * scale)))
    resized = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    left, top = (round((side - SIDE) / 2) for side in size)
    seen = np.asarray(resized.crop((left, top, left + SIDE, top + SIDE))) / 255
    return (seen - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)


def test_there_are_enough(placed: list[Placed]) -> None:
    fates = Counter(one.odd.fate for one in placed)
    assert len(placed) >= 500
    assert fates[Fate.USED] > 300 and fates[Fate.NAMED] > 90
    assert fates[Fate.COUNTED] > 30


def test_none_is_misread(placed: list[Placed]) -> None:
    preprocess = Preprocess(
        image=(3, SIDE, SIDE),
        fit="crop",
        resize=cover([SIDE, SIDE]),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    for one in placed:
        if one.odd.fate is not Fate.USED:
            continue
        for channels in (1, 3, 4):
            seen_HWC = read_image(one.path, channels).permute(1, 2, 0).numpy()
            expected = read_with_pillow(one.path, channels)
            assert np.array_equal(seen_HWC, expected), one.path
            if channels == 3 and one.odd.pixels is not None:
                assert np.array_equal(seen_HWC, one.odd.pixels), one.path
        input_HWC = preprocess.from_file(one.path).permute(1, 2, 0).numpy()
        expected = fit_with_pillow(read_with_pillow(one.path, 3))
        # Two resizers that round differently.
        assert np.abs(input_HWC - expected).max() < 2.1 / 255 / 0.224, one.path


def counted(lines: list[str]) -> Counter[str]:
    """How many were left out, by reason, as a command says."""
    found: Counter[str] = Counter()
    for line in lines:
        if said := re.fullmatch(r".*: ([\d,]+) left out \((.*)\)", line):
            found[said[2]] += int(said[1].replace(",", ""))
    return found


def expected_counts(placed: list[Placed], said: Counter[str]) -> Counter[str]:
    """The same of what was written; a reason is known by a part of it."""
    found: Counter[str] = Counter()
    for one in placed:
        if one.odd.fate is Fate.COUNTED:
            (reason,) = (reason for reason in said if one.odd.why in reason)
            found[reason] += 1
    return found


def assert_named(placed: list[Placed], lines: list[str], before: str) -> None:
    """Each unreadable file has a line of its own, with the reason."""
    named = [one for one in placed if one.odd.fate is Fate.NAMED]
    assert len([line for line in lines if line.startswith(before)]) == len(named)
    for one in named:
        start = f"{before}cannot read the image {shown(one.path)}: "
        (line,) = (line for line in lines if line.startswith(start))
        assert re.search(one.odd.why, line.removeprefix(start)), line


def replacements(placed: list[Placed], root: Path) -> int:
    """How often the next image replaces an unreadable one in an epoch."""
    bad = {one.path for one in placed if one.odd.fate is Fate.NAMED}
    paths = Folders.open(root).train.paths
    total = 0
    for number in range(len(paths)):
        while paths[number % len(paths)] in bad:
            total, number = total + 1, number + 1
    return total


@pytest.mark.unix
def test_each_is_used_or_named_or_counted(
    placed: list[Placed], root: Path, tmp_path: Path
) -> None:
    halves = {
        part: [one for one in placed if one.part == part] for part in ("train", "val")
    }
    readable = {
        part: sum(one.odd.fate is not Fate.COUNTED for one in half)
        for part, half in halves.items()
    }
    spec, run = tmp_path / "tiny.arch", tmp_path / "run"
    spec.write_text(SPEC.replace("BATCH", str(readable["train"])))
    with without_privileges():
        words = ("--data", root, "--device", "cpu")
        trained = s2mlp("train", spec, "--out", run, *words)
        tested = s2mlp("eval", run, "--format", "json", "--device", "cpu")
        answered = s2mlp("predict", run, root, "--format", "json", "--device", "cpu")
    assert (trained.returncode, tested.returncode) == (0, 0), trained.stderr
    assert answered.returncode == 4

    said = counted(trained.stdout.splitlines())
    assert said == expected_counts(placed, said) and said.total() > 30
    summary = json.loads((run / "summary.json").read_text())
    assert summary["skipped_images"] == replacements(placed, root)
    bad = {
        part: sum(one.odd.fate is Fate.NAMED for one in half)
        for part, half in halves.items()
    }
    assert summary["unreadable_test_images"] == bad["val"]
    skipped = [
        one for one in trained.stdout.splitlines() if one.startswith("skipped: ")
    ]
    assert len(skipped) == MOST_NAMED
    assert all("cannot read the image " in one for one in skipped)
    replaced = f"{summary['skipped_images']:,} times replaced in training"
    assert f"{replaced}, {bad['val']} of the last test left out" in trained.stdout
    opened = Run.open(run)
    assert (opened.train_images, opened.test_images) == tuple(readable.values())
    assert opened.class_names == tuple(sorted(map(shown, CLASSES)))

    result = json.loads(tested.stdout)
    lines = tested.stderr.splitlines()
    assert result["images"] == readable["val"] - bad["val"]
    assert result["unreadable"] == bad["val"]
    assert counted(lines) == counted(result["left_out"]) == said
    assert_named(halves["val"], lines, "skipped: ")

    lines = answered.stderr.splitlines()
    assert counted(lines) == said
    assert_named(placed, lines, "error: ")
    used = {shown(one.path): one for one in placed if one.odd.fate is Fate.USED}
    guesses = {one["path"]: one["top"][0] for one in json.loads(answered.stdout)}
    assert guesses.keys() == used.keys()
    # What is predicted of each test image is what was counted in the test.
    confusion = np.zeros((3, 3), int)
    for path, guess in guesses.items():
        one = used[path]
        if one.part == "val":
            label = shown(one.path.relative_to(root / "val").parts[0])
            confusion[opened.class_names.index(label), guess["index"]] += 1
    assert confusion.tolist() == result["confusion"]


@pytest.mark.unix
def test_a_folder_that_is_closed_stops_training_and_is_named(tmp_path: Path) -> None:
    """Training and tests want all images; `predict` goes past it."""
    data, spec, run = tmp_path / "data", tmp_path / "tiny.arch", tmp_path / "run"
    spec.write_text(SPEC.replace("BATCH", "3"))
    image = Image.new("RGB", (9, 9), (200, 0, 0))
    for part in ("train", "val"):
        for name in CLASSES:
            (data / part / name).mkdir(parents=True)
            image.save(data / part / name / "im.png")
    words = ("--data", data, "--device", "cpu")
    assert s2mlp("train", spec, "--out", run, *words).returncode == 0
    closed = data / "val/plain/closed"
    closed.mkdir(0o000)
    reason = f"error: cannot read the folder {closed}: Permission denied"
    with without_privileges():
        other = ("train", spec, "--out", tmp_path / "other", *words)
        for command in (other, ("eval", run)):
            done = s2mlp(*command)
            assert (done.returncode, done.stderr.splitlines()) == (4, [reason])
        done = s2mlp("predict", run, data)
    assert (done.returncode, done.stderr.splitlines()) == (4, [reason])
    assert len(done.stdout.splitlines()) == 6


@pytest.mark.unix
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    """A person may name it; in folders it is left out."""
    path = tmp_path / "im.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(EnvironmentFailure, match=r"it is not a file|Is a directory"):
        read_image(path, 3)


def _fit(image: tuple[int, int, int]) -> Preprocess:
    n = image[0]
    return Preprocess(
        image=image, fit="crop", resize=cover([*image[1:]]), mean=(0,) * n, std=(1,) * n
    )


@pytest.mark.parametrize("size", [(32, 96), (96, 32), (64, 64), (16, 112), (224, 160)])
def test_an_image_of_the_models_aspect_keeps_seven_eighths(
    size: tuple[int, int],
) -> None:
    height, width = size[0] * 2, size[1] * 2
    ramp_HW = torch.linspace(0, 255, height)[:, None].expand(height, width)
    other_HW = torch.linspace(0, 255, width).expand(height, width)
    seen = _fit((3, *size)).fitted(torch.stack([ramp_HW, other_HW, ramp_HW]).byte())
    assert seen.shape == (3, *size)
    for channel_HW in seen[:2].float():
        kept = (channel_HW.max() - channel_HW.min()).item() / 255
        assert kept == pytest.approx(7 / 8, abs=0.06)


@pytest.mark.parametrize("size", [(30, 30), (1, 500), (77, 13), (500, 1), (1, 1)])
def test_every_image_covers_the_crop(size: tuple[int, int]) -> None:
    image_CHW = torch.full((3, *size), 9).byte()
    assert _fit((3, 32, 96)).fitted(image_CHW).unique().tolist() == [9]


@pytest.mark.parametrize("size", [(37, 99), (64, 64), (400, 60), (1, 7), (90, 31)])
@pytest.mark.parametrize("side", [8, 24, 32])
def test_square_models_see_torchvisions_resize_and_crop(
    size: tuple[int, int], side: int
) -> None:
    image_CHW = torch.arange(3 * size[0] * size[1]).reshape(3, *size).byte()
    by_short_side = vision.resize(
        image_CHW, [round(side * 256 / 224)], InterpolationMode.BICUBIC, antialias=True
    )
    expected = vision.center_crop(by_short_side, [side, side])
    assert torch.equal(_fit((3, side, side)).fitted(image_CHW), expected)


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 1), (3, 40_001), (20_000, 2)])
def test_a_thin_image_is_not_resized_as_a_whole(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    resize = vision.resize

    def noted(image: torch.Tensor, size: list[int], *rest, **options) -> torch.Tensor:
        sizes.append(size)
        return resize(image, size, *rest, **options)

    monkeypatch.setattr(vision, "resize", noted)
    ramp = np.linspace(0, 255, max(size)).astype(np.uint8)
    along = ramp[:, None] if size[0] > size[1] else ramp[None]
    pixels = np.broadcast_to(along, size).copy()
    Image.fromarray(pixels).save(tmp_path / "thin.png")
    fit = _fit((3, 224, 224))
    seen = fit.fitted(read_image(tmp_path / "thin.png", 3))
    assert seen.shape == (3, 224, 224)
    assert seen.float().mean().item() == pytest.approx(127.5, abs=1)
    ((height, width),) = sizes
    assert height * width < 20 * 256**2


@pytest.mark.parametrize("size", [(20_000, 10_000), (1, 150_000_000), (12_000, 11_000)])
def test_an_image_over_the_budget_is_refused(
    size: tuple[int, int], tmp_path: Path
) -> None:
    header = b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    sides = size[0].to_bytes(4, "little") + size[1].to_bytes(4, "little")
    path = tmp_path / "large.bmp"
    path.write_bytes(header + sides + bytes([1, 0, 24, 0]) + bytes(24))
    with pytest.raises(EnvironmentFailure, match=r"large\.bmp.*MiB|decompression bomb"):
        read_image(path, 3)


def test_links_are_followed_once_and_loops_counted(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    (inside / "deep").mkdir(parents=True)
    Image.new("L", (3, 3)).save(inside / "deep/im.png")
    (inside / "alias").symlink_to(inside / "deep")
    (inside / "deep/loop").symlink_to(inside)
    found = find_images(inside)
    assert [str(p.relative_to(inside)) for p in found.files] == [
        "alias/im.png",
        "deep/im.png",
    ]
    assert found.left_out == {"links to a folder that contains them": 2}


@pytest.mark.parametrize("bits", [range(256), [0, 255]])
def test_palettes_keep_the_colours_beneath_transparency(bits, tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[*bits]], np.uint8)).convert("P")
    image.save(tmp_path / "p.png", transparency=bytes(len(bits)))
    assert read_image(tmp_path / "p.png", 1).flatten().tolist() == [*bits]
