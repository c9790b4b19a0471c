"""Folders of images: names, swaps, hidden and system files, memory."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from s2mlp_dsl.data.image_folder import Folders
from s2mlp_dsl.data.memory import require_memory
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train import evaluate, image_files, predict, train
from s2mlp_dsl.train.data import open_data
from tests import recipes as ir
from tests.train.making import job, mlp, recipe

CPU = torch.device("cpu")
COLOURS = {"apple": (250, 0, 0), "pear": (0, 250, 0), "plum": (0, 0, 250)}


def model() -> torch.nn.Module:
    return mlp((3, 8, 8), 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Bitmaps of one size: three classes told apart by colour."""
    for part in ("train", "val"):
        for name, colour in COLOURS.items():
            folder = tmp_path / "data" / part / name
            folder.mkdir(parents=True)
            for number in range(4):
                Image.new("RGB", (9, 9), colour).save(folder / f"{number}.bmp")
    return tmp_path / "data"


def trained(root: Path, out: Path) -> Path:
    chosen = recipe(
        data=ir.Folder(),
        batch=6,
        epochs=12,
        workers=0,
        augment=(),
        optimizer=ir.AdamW(lr=1e-2),
    )
    work = job(chosen, image=(3, 8, 8), classes=3)
    assert train(model(), work, out, data_root=root, quiet=True).accuracy == 1
    return out


def rename(root: Path, names: dict[str, str]) -> Path:
    other = root.parent / "other"
    shutil.copytree(root, other)
    for part in ("train", "val"):
        for old in names:
            (other / part / old).rename(other / part / f"{old}.aside")
        for old, new in names.items():
            (other / part / f"{old}.aside").rename(other / part / new)
    return other


def test_classes_are_matched_by_name(root: Path, tmp_path: Path) -> None:
    run = trained(root, tmp_path / "run")
    said: list[str] = []
    # Positions move by one, and one class is new.
    other = rename(root, {"apple": "zebra"})
    result = evaluate(model(), run, data_root=other, say=said.append)
    assert (result.accuracy, result.images) == (1, 8)
    assert [one.name for one in result.classes] == [*COLOURS]
    assert [one.images for one in result.classes] == [0, 4, 4]
    assert any("left out with 4 images: zebra" in line for line in said)
    assert any("without images here: apple" in line for line in said)
    assert result.left_out == tuple(said)


def test_more_and_fewer_classes_are_matched(root: Path, tmp_path: Path) -> None:
    run = trained(root, tmp_path / "run")
    for part in ("train", "val"):
        shutil.copytree(root / part / "apple", root / part / "banana")
    result = evaluate(model(), run, say=[].append, on="train")
    assert (result.accuracy, result.images) == (1, 12)
    for part in ("train", "val"):
        for name in ("banana", "apple"):
            shutil.rmtree(root / part / name)
    assert evaluate(model(), run, say=[].append).images == 8


@pytest.mark.parametrize("case", [str.upper, str.title, lambda name: f"{name}s"])
def test_quite_other_classes_are_refused(case, root: Path, tmp_path: Path) -> None:
    run = trained(root, tmp_path / "run")
    other = rename(root, {name: case(name) for name in COLOURS})
    with pytest.raises(UsageError, match="other classes, such as"):
        evaluate(model(), run, data_root=other)


@pytest.mark.parametrize(
    "name", [".ipynb_checkpoints", "__MACOSX", "@eaDir", "lost+found", ".DS_Store"]
)
def test_hidden_and_system_folders_are_not_classes(name: str, root: Path) -> None:
    for part in ("train", "val"):
        shutil.copytree(root / part / "apple", root / part / name)
    found = Folders.open(root)
    assert found.class_names == tuple(COLOURS)
    assert found.left_out == tuple(
        f"{root / part}: 1 left out (hidden or system files and folders)"
        for part in ("train", "val")
    )


def _swap_folders(root: Path) -> None:
    (root / "train/apple").rename(root / "train/aside")
    (root / "train/pear").rename(root / "train/apple")
    (root / "train/aside").rename(root / "train/pear")


def _swap_files(root: Path) -> None:
    one, other = root / "train/apple/0.bmp", root / "val/plum/3.bmp"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _larger(root: Path) -> None:
    Image.new("RGB", (10, 9)).save(root / "train/apple/0.bmp")


def _renamed(root: Path) -> None:
    (root / "val/pear/0.bmp").rename(root / "val/pear/9.bmp")


@pytest.mark.parametrize("change", [_swap_folders, _swap_files, _larger, _renamed])
def test_changed_data_have_another_fingerprint(change, root: Path) -> None:
    before = Folders.open(root).fingerprint()
    assert Folders.open(root).fingerprint() == before
    change(root)
    assert Folders.open(root).fingerprint() != before


def test_names_that_are_not_utf8_work(root: Path, tmp_path: Path) -> None:
    for part in ("train", "val"):
        (root / part / "apple").rename(root / part / "caf\udce9")
        file = root / part / "pear/0.bmp"
        file.rename(file.with_name("\udcff.bmp"))
    run = trained(root, tmp_path / "run")
    assert evaluate(model(), run).classes[0].name == r"caf\xe9"
    file = root / "val/pear/\udcff.bmp"
    (answer,) = predict(model(), run, [file])
    assert answer.path == f"{root}/val/pear/" + r"\xff.bmp"
    assert answer.top[0].name == "pear"
    moved = root.rename(tmp_path / "d\udce9")
    with pytest.raises(UsageError, match="is not UTF-8"):
        evaluate(model(), run, data_root=moved)


def test_class_folders_that_look_the_same_are_refused(root: Path) -> None:
    for part in ("train", "val"):
        shutil.copytree(root / part / "pear", root / part / "caf\udce9")
        shutil.copytree(root / part / "plum", root / part / r"caf\xe9")
    with pytest.raises(EnvironmentFailure, match=r"are shown as caf\\xe9, one of"):
        Folders.open(root)


def test_linked_class_folders_are_followed(root: Path, tmp_path: Path) -> None:
    (root / "train/apple").rename(tmp_path / "elsewhere")
    (root / "train/apple").symlink_to(tmp_path / "elsewhere")
    (root / "train/self").symlink_to(root)
    found = Folders.open(root)
    assert found.class_names == tuple(COLOURS)
    assert found.train.labels == [0] * 4 + [1] * 4 + [2] * 4
    assert "1 left out (links to a folder that contains them)" in found.left_out[0]


def test_predict_goes_past_bad_files(root: Path, tmp_path: Path) -> None:
    run = trained(root, tmp_path / "run")
    good = [root / "val/plum/0.bmp", root / "val/apple/1.bmp"]
    bad = [tmp_path / "missing.png", tmp_path / "text.png", tmp_path]
    bad[1].write_text("text")
    failures: list[str] = []
    files = [bad[0], good[0], bad[1], bad[2], good[1]]
    answers = predict(model(), run, files, failed=failures.append)
    assert [one.top[0].name for one in answers] == ["plum", "apple"]
    assert len(failures) == 3
    for path, failure in zip(bad, failures, strict=True):
        assert failure.startswith(f"cannot read the image {path}: ")
    with pytest.raises(EnvironmentFailure):
        predict(model(), run, files)


def test_a_folder_that_cannot_be_read_is_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = root / "train/pear/closed"
    closed.mkdir()
    inside = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return inside(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    reason = f"cannot read the folder {closed}: Permission denied"
    with pytest.raises(EnvironmentFailure, match=reason):
        Folders.open(root)
    with pytest.raises(EnvironmentFailure, match=reason):
        image_files([root])
    (tmp_path / "empty").mkdir()
    failures: list[str] = []
    files = image_files([tmp_path / "empty", root], failed=failures.append)
    assert len(files) == 24
    assert "empty has no image" in failures[0] and failures[1:] == [reason]


@pytest.mark.parametrize("images", [10**12, 10**15, 10**11])
def test_too_many_synthetic_images_are_refused(images: int) -> None:
    work = job(recipe(data=ir.Synthetic(images=images)), image=(3, 16, 16), classes=4)
    with pytest.raises(UsageError, match=r"synthetic images need .* GiB of memory"):
        open_data(work, CPU, None)


def test_memory_that_is_there_is_not_refused() -> None:
    require_memory(1000, "a few bytes")
    with pytest.raises(UsageError, match="all of it need"):
        require_memory(2**60, "all of it")


def test_postscript_never_reaches_ghostscript(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(root, tmp_path / "run")
    marker = tmp_path / "was-run"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/gs"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png", format="EPS")
    with pytest.raises(EnvironmentFailure, match="cannot identify"):
        predict(model(), run, [tmp_path / "x.png"])
    assert not marker.exists()
