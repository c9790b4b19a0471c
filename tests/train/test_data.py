"""Data sets: what is in them, what is refused, and image folders."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.train import (
    EnvironmentFailure,
    Interrupted,
    Job,
    Run,
    UsageError,
    evaluate,
    predict,
    train,
)
from s2mlp_dsl.train.data import open_data, sampler_of
from tests import recipes as ir

from .making import assert_same_run, job, metrics, mlp, recipe, synthetic_job
from .test_resume import SignalAt

CPU = torch.device("cpu")
CLASSES = ("apple", "pear", "plum")


def test_digits_are_split_and_normalised() -> None:
    data = open_data(job(), CPU, None)
    assert (data.train.images, data.test.images) == (1437, 360)
    (train_half,) = data.train.batches(BatchSplit().evaluation(1437, 1437))
    (test_half,) = data.test.batches(BatchSplit().evaluation(360, 360))
    assert train_half.images_BCHW.shape == (1437, 1, 8, 8)
    assert abs(train_half.images_BCHW.mean()) < 1e-5
    assert abs(train_half.images_BCHW.std() - 1) < 1e-4
    assert set(test_half.labels_B.bincount().tolist()) <= {34, 35, 36, 37, 38}
    assert data.class_names == tuple("0123456789")


def test_digits_refuse_a_model_for_other_images(tmp_path: Path) -> None:
    wrong = job(image=(3, 32, 32), classes=100)
    with pytest.raises(
        UsageError, match=r"10 .* 1×8×8 .* 100 classes and takes 3×32×32"
    ):
        train(mlp((3, 32, 32), 100), wrong, tmp_path / "run", quiet=True)
    with pytest.raises(UsageError, match="built in; it takes no --data"):
        train(mlp(), job(), tmp_path / "run", data_root=tmp_path, quiet=True)
    assert not (tmp_path / "run").exists()


def test_synthetic_images_are_the_same_each_time_and_repeat_beyond_the_pool() -> None:
    chosen = synthetic_job(data=ir.Synthetic(images=1030))
    one, other = open_data(chosen, CPU, None), open_data(chosen, CPU, None)
    assert one.fingerprint == other.fingerprint
    assert (one.train.images, one.test.images) == (1030, 257)
    (images,) = (
        b.images_BCHW for b in one.train.batches(BatchSplit().evaluation(1030, 1030))
    )
    assert torch.equal(images[:6], images[1024:])
    assert abs(images.mean()) < 0.01 and abs(images.std() - 1) < 0.01


@pytest.fixture
def fruit(tmp_path: Path) -> Path:
    """Three classes told apart by colour: 12 images each to train, 4 to test."""
    generator = np.random.default_rng(0)
    root = tmp_path / "fruit"
    for part, images in (("train", 12), ("val", 4)):
        for place, name in enumerate(CLASSES):
            (root / part / name).mkdir(parents=True)
            for number in range(images):
                size = tuple(generator.integers(20, 48, 2))
                pixels = generator.integers(0, 120, (*size, 3), dtype=np.uint8)
                pixels[..., place] += 120
                ending = "png" if number % 2 else "JPEG"
                Image.fromarray(pixels).save(root / part / name / f"{number}.{ending}")
    return root


def fruit_job(**changes: object) -> Job:
    settings: dict[str, object] = {
        "data": ir.ImageNet(),
        "batch": 8,
        "epochs": 3,
        "workers": 0,
        "augment": (
            ir.RandomResizedCrop(),
            ir.HorizontalFlip(),
            ir.RandAugment(),
            ir.RandomErasing(),
        ),
    }
    return job(recipe(**(settings | changes)), image=(3, 16, 16), classes=3)


def fruit_model() -> torch.nn.Module:
    return mlp((3, 16, 16), 3)


def test_image_folders_train_test_and_predict(fruit: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    plain = fruit_job(augment=(), epochs=8)
    summary = train(fruit_model(), plain, out, data_root=fruit, quiet=True)
    assert summary.accuracy > 0.9
    # The folder is remembered: neither resuming nor testing asks again.
    assert Run.open(out).data_root == str(fruit)
    result = evaluate(fruit_model(), out)
    assert result.accuracy == summary.accuracy
    assert [entry.name for entry in result.classes] == list(CLASSES)
    (guess,) = predict(fruit_model(), out, [fruit / "val/plum/1.png"], top=9)
    assert guess.top[0].name == "plum" and len(guess.top) == 3
    moved = fruit.rename(tmp_path / "moved")
    assert evaluate(fruit_model(), out, data_root=moved) == result
    with pytest.raises(EnvironmentFailure, match=f"{fruit}/train"):
        evaluate(fruit_model(), out)


def test_nothing_depends_on_the_workers(fruit: Path, tmp_path: Path) -> None:
    runs = []
    for workers in (0, 1, 2):
        runs.append(tmp_path / f"workers{workers}")
        chosen = fruit_job(workers=workers, epochs=2)
        train(fruit_model(), chosen, runs[-1], data_root=fruit, quiet=True)
    assert_same_run(runs[0], runs[1])
    assert_same_run(runs[0], runs[2])


def test_stopped_and_resumed_with_other_workers(fruit: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    model = SignalAt(fruit_model(), 0)
    train(model, fruit_job(epochs=2), whole, data_root=fruit, quiet=True)
    with pytest.raises(Interrupted):
        model = SignalAt(fruit_model(), 3)
        chosen = fruit_job(workers=2, epochs=2)
        train(model, chosen, cut, data_root=fruit, quiet=True)
    model = SignalAt(fruit_model(), 0)
    train(model, fruit_job(epochs=2), cut, resume=True, quiet=True)
    assert_same_run(whole, cut)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_image_is_named(workers: int, fruit: Path, tmp_path: Path) -> None:
    broken = fruit / "train/pear/4.JPEG"
    broken.write_bytes(broken.read_bytes()[:100])
    chosen = fruit_job(workers=workers, batch=12)
    with pytest.raises(EnvironmentFailure) as error:
        train(fruit_model(), chosen, tmp_path / "run", data_root=fruit, quiet=True)
    assert str(error.value).startswith(f"cannot read the image {broken}: ")
    assert "Traceback" not in str(error.value)


def test_missing_folders_say_where_and_how(
    fruit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "run"
    with pytest.raises(
        EnvironmentFailure, match=r"CLASS/\*\.JPEG.*--data DIR"
    ) as error:
        train(fruit_model(), fruit_job(), out, quiet=True)
    assert str(tmp_path / "data/imagenet/train") in str(error.value)
    shutil.rmtree(fruit / "val/plum")
    with pytest.raises(EnvironmentFailure, match="different classes, such as plum"):
        train(fruit_model(), fruit_job(), out, data_root=fruit, quiet=True)
    (fruit / "val/plum").mkdir()
    with pytest.raises(EnvironmentFailure, match="plum"):
        train(fruit_model(), fruit_job(), out, data_root=fruit, quiet=True)
    shutil.rmtree(fruit / "val")
    with pytest.raises(EnvironmentFailure, match=f"no images at {fruit}/val"):
        train(fruit_model(), fruit_job(), out, data_root=fruit, quiet=True)
    assert not out.exists()


def test_another_number_of_classes_is_refused(fruit: Path, tmp_path: Path) -> None:
    wrong = fruit_job().model_copy(update={"classes": 1000})
    with pytest.raises(UsageError, match=r"3 classes .* has 1,000 classes"):
        train(fruit_model(), wrong, tmp_path / "run", data_root=fruit, quiet=True)


def test_other_files_are_another_run(fruit: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        model = SignalAt(fruit_model(), 2)
        train(model, fruit_job(), out, data_root=fruit, quiet=True)
    (fruit / "train/pear/4.JPEG").rename(fruit / "train/pear/new.JPEG")
    with pytest.raises(UsageError, match="data_fingerprint"):
        model = SignalAt(fruit_model(), 0)
        train(model, fruit_job(), out, resume=True, quiet=True)
    assert metrics(out) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_corrupt_images_are_skipped_and_counted_on_request(
    workers: int, fruit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train/pear/4.JPEG", "val/plum/2.JPEG"):
        (fruit / name).write_bytes(b"nothing")
    chosen = fruit_job(workers=workers, batch=12, corrupt="skip", augment=())
    out = tmp_path / "run"
    summary = train(fruit_model(), chosen, out, data_root=fruit)
    assert summary.skipped_images == 3  # once in each epoch
    assert summary.unreadable_test_images == 1
    said = capsys.readouterr().out
    assert said.count(f"skipped: cannot read the image {fruit}/train/pear/4.JPEG") == 1
    result = evaluate(fruit_model(), out)
    assert (result.images, result.unreadable) == (11, 1)


def test_a_folder_may_be_named_in_the_recipe(fruit: Path, tmp_path: Path) -> None:
    chosen = fruit_job(data=ir.Folder(path=str(fruit)), epochs=1, schedule=ir.Cosine())
    train(fruit_model(), chosen, tmp_path / "run", quiet=True)
    assert Run.open(tmp_path / "run").data_root == str(fruit)
    with pytest.raises(UsageError, match="needs a folder"):
        open_data(fruit_job(data=ir.Folder()), CPU, None)


def test_a_share_of_a_folder(fruit: Path) -> None:
    """Half of 36 images, six of a class; an epoch of 36 shows each twice."""
    chosen = fruit_job(train_fraction=0.5, batch=12)
    data = open_data(chosen, CPU, fruit)
    assert (data.train_images, data.train.images, data.test.images) == (18, 36, 12)
    requests = sampler_of(chosen.recipe, data.train.images).batches(0)
    batches = list(data.train.batches(islice(requests, 3)))
    shown = torch.cat([batch.indices for batch in batches]).bincount()
    assert sorted(shown[shown > 0].tolist()) == [2] * 18
    labels = torch.cat([batch.labels_B for batch in batches])
    assert labels.bincount().tolist() == [12, 12, 12]
