"""Image files and folders as they come: each is used, or named and counted."""

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.data.image_folder import Folders, LabelledFiles
from s2mlp_dsl.data.images import Preprocess, image_paths, printable, read_image
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.train import UsageError, evaluate, image_files, predict, train
from tests.recipes import Folder
from tests.train.making import job, mlp, recipe

CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}


def fits(height: int, width: int) -> Preprocess:
    return Preprocess(
        image=(3, height, width), fit="crop", mean=(0.0,) * 3, std=(1.0,) * 3
    )


def coordinates(height: int, width: int) -> torch.Tensor:
    """An image whose first channel rises with its rows, the second with columns."""
    y, x = torch.meshgrid(
        torch.linspace(0, 255, height), torch.linspace(0, 255, width), indexing="ij"
    )
    return torch.stack([y, x, 0 * x]).to(torch.uint8)


@pytest.mark.parametrize(
    ("height", "width"), [(32, 96), (96, 32), (64, 64), (48, 224), (224, 160), (17, 31)]
)
def test_the_centre_crop_keeps_7_of_8_of_both_sides(height: int, width: int) -> None:
    for times in (1, 3):
        seen = fits(height, width).fitted(coordinates(times * height, times * width))
        assert seen.shape == (3, height, width)
        for channel in seen[:2].float():
            part = (channel.max() - channel.min()) / 255
            assert 0.8 < part < 0.92


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([8, 24, 32]))
def test_square_models_see_what_torchvision_gives(
    height: int, width: int, side: int
) -> None:
    image = coordinates(height, width)
    if max(height, width) > 7 * min(height, width):
        return
    resized = vision.resize(
        image, [round(side * 256 / 224)], InterpolationMode.BICUBIC, antialias=True
    )
    expected = vision.center_crop(resized, [side, side])
    assert torch.equal(fits(side, side).fitted(image), expected)


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 1), (3, 20_000), (1, 1)])
def test_thin_images_are_not_resized_as_a_whole(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    resize = vision.resize

    def noted(image: torch.Tensor, size: list[int], *args: Any, **kw: Any) -> Any:
        made.append(size[0] * size[1])
        return resize(image, size, *args, **kw)

    monkeypatch.setattr(vision, "resize", noted)
    assert fits(64, 32).fitted(coordinates(*size)).shape == (3, 64, 32)
    assert max(made) < 20 * 64 * 32


def picture(mode: str, size: tuple[int, int] = (9, 6)) -> Image.Image:
    """Random values, from a seed of the mode."""
    random = np.random.default_rng(zlib.crc32(mode.encode()))
    width, height = size
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 2**16, (height, width), np.uint16))
    if mode == "1":
        return Image.fromarray(random.integers(0, 2, (height, width)) > 0)
    if mode.startswith("P"):
        image = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))
        return image.quantize(7)
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = random.integers(0, 256, (height, width, bands), np.uint8)
    return Image.merge(mode, [Image.fromarray(values[..., n]) for n in range(bands)])


def independent(path: Path, mode: str) -> np.ndarray[Any, Any]:
    """The same reading with Pillow alone."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return np.asarray(image.convert(mode)).reshape(*image.size[::-1], -1)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        *(("L", "png"), ("RGB", "png"), ("RGBA", "png"), ("LA", "png"), ("P", "png")),
        *(("1", "png"), ("I;16", "png"), ("I;16", "tiff"), ("I;16", "pgm")),
        *(("RGB", "jpg"), ("L", "jpg"), ("CMYK", "jpg"), ("CMYK", "tiff")),
        *(("RGB", "bmp"), ("RGB", "ppm"), ("RGB", "webp"), ("RGBA", "webp")),
        *(("P", "gif"), ("RGBA", "tiff"), ("L", "tiff"), ("1", "tiff")),
    ],
)
def test_modes_and_formats(form: str, suffix: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"image.{suffix}"
    options = {"transparency": 2} if form == "P" else {}
    picture(form).save(path, **options)
    read = read_image(path, CHANNELS[mode]).permute(1, 2, 0).numpy()
    assert np.array_equal(read, independent(path, mode))


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_images_are_read_upright(suffix: str, turn: int, tmp_path: Path) -> None:
    path, exif = tmp_path / f"phone.{suffix}", Image.Exif()
    exif[0x112] = turn
    image = picture("RGB", (30, 20))
    image.save(path, exif=exif)
    read = read_image(path, 3).permute(1, 2, 0).numpy()
    assert read.shape == ((20, 30, 3) if turn < 5 else (30, 20, 3))
    assert np.array_equal(read, independent(path, "RGB"))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_the_first_frame_of_an_animation(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime", "blue")]
    path = tmp_path / f"moving.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert read_image(path, 3)[:, 0, 0].tolist() == [255, 0, 0]


BROKEN = {
    "empty.png": b"",
    "text.jpg": b"not an image",
    "cut.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09",
    "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
    "fork.png": b"\0\5\x16\7\0\2\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(EnvironmentFailure, match=f"cannot read the image .*{name}: ."):
        read_image(tmp_path / name, 3)


def test_32_bit_values_and_too_many_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 70_000, np.int32)).save(tmp_path / "deep.tiff")
    with pytest.raises(EnvironmentFailure, match="more than 16 bits"):
        read_image(tmp_path / "deep.tiff", 1)
    Image.new("1", (20_000, 10_000)).save(tmp_path / "large.png")
    with pytest.raises(EnvironmentFailure, match="pixels"):
        read_image(tmp_path / "large.png", 1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes with three images of 8×8 each, in both halves."""
    root = tmp_path / "data"
    for part in ("train", "val"):
        for number, name in enumerate(("apple", "pear")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for image in range(3):
                colour = (90 * number + 40, 20 * image, 5)
                Image.new("RGB", (8, 8), colour).save(folder / f"{image}.png")
    return root


def test_hidden_and_system_files_are_no_classes_and_no_images(data: Path) -> None:
    before = Folders.open(data)
    assert before.left_out == 0
    for part in ("train", "val"):
        for name in (".ipynb_checkpoints", "__MACOSX", "apple/.git", "apple/@eaDir"):
            (data / part / name).mkdir()
            (data / part / name / "0.png").write_bytes(b"")
        (data / part / "apple/._0.png").write_bytes(b"\0\5\x16\7")
        (data / part / "apple/Thumbs.db").write_bytes(b"\0")
    after = Folders.open(data)
    assert after.class_names == ("apple", "pear")
    assert after.train.samples == before.train.samples
    assert after.left_out == 12
    assert after.fingerprint() == before.fingerprint()
    found, left_out = image_paths(data / "train/apple")
    assert len(found) == 3 and left_out == 4
    said: list[str] = []
    assert len(image_files([data / "train/apple"], said.append)) == 3
    assert said == [f"{data}/train/apple: 4 other files are left out"]


@pytest.mark.unix
def test_links_are_followed_by_every_reader(data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (data / "train/pear").rename(elsewhere)
    (data / "train/pear").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(elsewhere)
    files = Folders.open(data).train
    assert [label for _, label, _ in files.samples] == [0, 0, 0, 1, 1, 1]
    assert len(image_files([data / "train"])) == 6
    (elsewhere / "gone.png").symlink_to(tmp_path / "nowhere.png")
    files = Folders.open(data).train
    assert len(files.samples) == 7
    with pytest.raises(EnvironmentFailure, match=r"gone\.png: No such file"):
        read_image(Path(files.samples[-1][0]), 3)


@pytest.mark.unix
def test_names_that_are_no_utf_8(data: Path, tmp_path: Path) -> None:
    odd = data / "train/apple" / os.fsdecode(b"caf\xe9.png")
    (data / "train/apple/0.png").rename(odd)
    for part in ("train", "val"):
        (data / part / "pear").rename(data / part / os.fsdecode(b"p\xeara"))
    names = Folders.open(data).class_names
    assert names == ("apple", "p\\xeara")
    chosen = recipe(data=Folder(), batch=2, workers=1, epochs=1)
    model, made = mlp((3, 8, 8), 2), job(chosen, image=(3, 8, 8), classes=2)
    train(model, made, tmp_path / "run", data_root=data, quiet=True)
    assert evaluate(model, tmp_path / "run").images == 6
    (guess,) = predict(model, tmp_path / "run", [odd])
    assert guess.path == printable(odd) and guess.path.endswith("caf\\xe9.png")


def test_classes_are_matched_by_name(data: Path, tmp_path: Path) -> None:
    chosen = recipe(data=Folder(), batch=2, workers=0, epochs=1)
    model, made = mlp((3, 8, 8), 2), job(chosen, image=(3, 8, 8), classes=2)
    run = tmp_path / "run"
    train(model, made, run, data_root=data, quiet=True)
    whole = evaluate(model, run)
    for part in ("train", "val"):
        (data / part / "apple").rename(tmp_path / f"apple-{part}")
    pears = evaluate(model, run)  # labels are still those of the run
    assert (pears.classes[0].images, pears.classes[1]) == (0, whole.classes[1])
    for part in ("train", "val"):
        (data / part / "pear").rename(data / part / "zebra")
    with pytest.raises(UsageError, match=r"zebra; the run knows apple, pear"):
        evaluate(model, run)


def test_a_run_is_not_resumed_on_other_images(data: Path, tmp_path: Path) -> None:
    chosen = recipe(data=Folder(), batch=2, workers=0, epochs=1)
    made, run = job(chosen, image=(3, 8, 8), classes=2), tmp_path / "run"
    train(mlp((3, 8, 8), 2), made, run, data_root=data, quiet=True)
    (run / "summary.json").unlink()
    first = Folders.open(data).fingerprint()
    Image.new("RGB", (70, 70)).save(data / "train/apple/0.png")
    assert Folders.open(data).fingerprint() != first
    with pytest.raises(UsageError, match="data_fingerprint"):
        train(mlp((3, 8, 8), 2), made, run, resume=True, quiet=True)


def test_a_class_without_images_is_named(data: Path) -> None:
    for path in (data / "val/pear").iterdir():
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(EnvironmentFailure, match="the class pear has no image"):
        LabelledFiles.below(data / "val")


def test_prediction_goes_past_a_bad_file(data: Path, tmp_path: Path) -> None:
    chosen = recipe(data=Folder(), batch=2, workers=0, epochs=1)
    model, made = mlp((3, 8, 8), 2), job(chosen, image=(3, 8, 8), classes=2)
    train(model, made, tmp_path / "run", data_root=data, quiet=True)
    files = image_files([data / "val/pear"])
    files[1].write_bytes(b"nothing")
    found = predict(model, tmp_path / "run", files)
    assert [one.error is None for one in found] == [True, False, True]
    assert "1.png" in str(found[1].error) and not found[1].top
