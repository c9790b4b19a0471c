"""Odd files and folders: each is used, or named, or counted; none is misread."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.data.image_files import find_images, shown
from s2mlp_dsl.data.images import Preprocess, cover, read_image
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.train import evaluate, image_files, predict, train
from tests import recipes as ir
from tests.train.making import job, mlp, recipe

from .odd_images import draw_left_out, draw_readable, draw_unreadable, read_with_pillow

SIZES = [pytest.param(36, id="36"), pytest.param(300, marks=pytest.mark.slow, id="300")]
CLASSES = ("a", "b")


@pytest.mark.parametrize("count", SIZES)
def test_each_is_used_or_named_or_counted(count: int, tmp_path: Path) -> None:
    draw = default_rng(count)
    good: dict[str, list[Path]] = {"train": [], "val": []}
    bad: dict[str, list[Path]] = {"train": [], "val": []}
    left_out = 0
    for part in good:
        for name in CLASSES:
            (tmp_path / "data" / part / name).mkdir(parents=True)
            path = tmp_path / "data" / part / name / "plain.png"
            Image.new("RGB", (20, 20), (200, 0, 0)).save(path)
            good[part].append(path)
    for number in range(count):
        part = ("train", "val")[number % 2]
        folder = tmp_path / "data" / part / CLASSES[number // 2 % 2]
        kind = draw.random()
        if kind < 0.6:
            good[part].append(draw_readable(folder, number, draw))
        elif kind < 0.85:
            bad[part].append(draw_unreadable(folder, number, draw))
        else:
            draw_left_out(folder, number, draw)
            left_out += 1
    for paths in good.values():
        for path in paths:
            for channels in (1, 3, 4):
                seen_HWC = read_image(path, channels).permute(1, 2, 0).numpy()
                assert (seen_HWC == read_with_pillow(path, channels)).all(), path
    chosen = recipe(
        data=ir.Folder(),
        batch=2,
        epochs=1,
        workers=0,
        augment=(),
        corrupt="skip",
        schedule=ir.Cosine(),
    )
    work = job(chosen, image=(3, 8, 8), classes=2)
    out = tmp_path / "run"
    root = tmp_path / "data"
    summary = train(mlp((3, 8, 8), 2), work, out, data_root=root, quiet=True)
    assert summary.unreadable_test_images == len(bad["val"])
    said: list[str] = []
    result = evaluate(mlp((3, 8, 8), 2), out, say=said.append)
    assert (result.images, result.unreadable) == (len(good["val"]), len(bad["val"]))
    assert result.left_out == tuple(said)
    assert sum(int(line.split(" left out")[0].split()[-1]) for line in said) == left_out
    failures: list[str] = []
    files = image_files([root])
    predictions = predict(mlp((3, 8, 8), 2), out, files, failed=failures.append)
    answered = sorted(prediction.path for prediction in predictions)
    assert answered == sorted(shown(path) for part in good.values() for path in part)
    unreadable = [path for part in bad.values() for path in part]
    assert len(failures) == len(unreadable)
    for path in unreadable:
        assert sum(f"cannot read the image {shown(path)}: " in f for f in failures) == 1


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
