"""Packaged data sets, read by torchvision from tiny files in their real formats."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.train import EnvironmentFailure, Job, Run, UsageError, train
from s2mlp_dsl.train.data import open_data
from tests import recipes as ir

from .making import job, mlp, recipe

CPU = torch.device("cpu")


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """LeCun's format: two zeros, the type, the rank, the sizes, the bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def clothing(tmp_path: Path) -> Path:
    """Fashion-MNIST with 80 images to train and 20 to test, one shade a class."""
    raw = tmp_path / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 80), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = np.broadcast_to(labels[:, None, None] * 25, (count, 28, 28))
        images = images.astype(np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


def cifar(root: Path, reader: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR's folder with 20 images a file, channel planes in rows of 3,072 bytes.

    torchvision holds every file against a checksum before it opens it, so the
    sums of the small files take the place of the real ones.
    """
    folder, fine = root / reader.base_folder, reader is datasets.CIFAR100
    folder.mkdir(parents=True)
    classes = 100 if fine else 10

    def put(name: str, content: dict[str, Any]) -> str:
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    for kind in ("train_list", "test_list"):
        sums = []
        for name, _ in getattr(reader, kind):
            labels = [number % classes for number in range(20)]
            rows = np.zeros((20, 3, 1024), dtype=np.uint8)
            rows[:, 0] = np.array(labels)[:, None]  # red tells the class
            rows[:, 2, :32] = 200  # the top row is blue; no green at all
            content = {"data": rows.reshape(20, 3072)}
            content["fine_labels" if fine else "labels"] = labels
            sums.append([name, put(name, content)])
        monkeypatch.setattr(reader, kind, sums)
    names = [f"class {number}" for number in range(classes)]
    key = reader.meta["key"]
    meta = {**reader.meta, "md5": put(reader.meta["filename"], {key: names})}
    monkeypatch.setattr(reader, "meta", meta)
    return root


def job_for(data: Any, image: tuple[int, int, int], classes: int) -> Job:
    chosen = recipe(data=data, batch=10, epochs=2, augment=(ir.HorizontalFlip(),))
    return job(chosen, image=image, classes=classes)


def test_fashion_mnist_is_read_trained_and_resumed(
    clothing: Path, tmp_path: Path
) -> None:
    chosen = job_for(ir.FashionMNIST(), (1, 28, 28), 10)
    data = open_data(chosen, CPU, clothing)
    assert (data.train.images, data.test.images) == (80, 20)
    assert data.class_names[0] == "T-shirt/top"
    (batch,) = data.test.batches(BatchSplit().evaluation(20, 20))
    assert batch.labels_B.tolist() == [*range(10), *range(10)]
    (mean,), (std,) = data.preprocess.mean, data.preprocess.std
    shades = batch.images_BCHW[:10, 0, 0, 0] * std + mean
    assert (shades * 255).round().tolist() == [25.0 * shade for shade in range(10)]
    out = tmp_path / "run"
    train(mlp((1, 28, 28)), chosen, out, data_root=clothing, quiet=True)
    assert Run.open(out).data_root == str(clothing)
    assert train(mlp((1, 28, 28)), chosen, out, resume=True, quiet=True).finished


@pytest.mark.parametrize(
    ("reader", "data", "classes", "images"),
    [
        (datasets.CIFAR10, ir.CIFAR10(), 10, 100),
        (datasets.CIFAR100, ir.CIFAR100(), 100, 20),
    ],
    ids=["cifar10", "cifar100"],
)
def test_cifar_is_read_as_torchvision_reads_it(
    reader: Any,
    data: Any,
    classes: int,
    images: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = cifar(tmp_path / "data", reader, monkeypatch)
    chosen = job_for(data, (3, 32, 32), classes)
    found = open_data(chosen, CPU, root)
    assert (found.train.images, found.test.images) == (images, 20)
    assert found.class_names[3] == "class 3" and len(found.class_names) == classes
    (batch,) = found.test.batches(BatchSplit().evaluation(20, 20))
    assert batch.labels_B.tolist() == [number % classes for number in range(20)]
    mean, std = (
        torch.tensor(list(one))[:, None, None]
        for one in (found.preprocess.mean, found.preprocess.std)
    )
    pixels = ((batch.images_BCHW * std + mean) * 255).round()
    # Red is the class, blue the top row: neither axes nor channels are swapped.
    assert torch.equal(pixels[:, 0, 5, 5], batch.labels_B.float())
    assert pixels[:, 2, 0].unique().tolist() == [200.0]
    assert pixels[:, 2, 1:].unique().tolist() == [0.0]
    # A channel without any variance is no reason for a NaN.
    assert found.preprocess.std[1] == 1.0
    assert batch.images_BCHW[:, 1].unique().tolist() == [0.0]
    model = mlp((3, 32, 32), classes)
    train(model, chosen, tmp_path / "run", data_root=root, quiet=True)


def test_a_smaller_model_gets_smaller_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = cifar(tmp_path, datasets.CIFAR10, monkeypatch)
    found = open_data(job_for(ir.CIFAR10(), (3, 16, 16), 10), CPU, root)
    (batch,) = found.test.batches(BatchSplit().evaluation(20, 20))
    assert batch.images_BCHW.shape == (20, 3, 16, 16)
    with pytest.raises(UsageError, match=r"10 classes of 3×32×32 .* 7 classes"):
        open_data(job_for(ir.CIFAR10(), (3, 32, 32), 7), CPU, root)


def test_a_changed_file_is_refused_and_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CIFAR's own files are pickles: only those with the authors' checksum load."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    root = cifar(tmp_path, datasets.CIFAR10, monkeypatch)
    batch = root / "cifar-10-batches-py/data_batch_2"
    batch.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(EnvironmentFailure, match="no usable cifar10") as error:
        open_data(job_for(ir.CIFAR10(), (3, 32, 32), 10), CPU, root)
    assert str(root / "cifar-10-batches-py") in str(error.value)
    assert "untar" in str(error.value) and "--data DIR" in str(error.value)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(batch.read_bytes())  # it would have
    assert (tmp_path / "sprung").exists()
