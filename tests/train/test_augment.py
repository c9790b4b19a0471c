"""Augmentation does what it says, for one sample the same in any company."""

import pytest
import torch

from s2mlp_dsl.data.augment import Augment
from s2mlp_dsl.data.images import Preprocess
from s2mlp_dsl.train import UsageError, train
from s2mlp_dsl.train.data import BatchMixer, augmentation
from tests import recipes as ir
from tests.recipes import Augmentation

from .making import job, metrics, mlp, recipe, synthetic_job

SINGLE: list[Augmentation] = [
    ir.Translate(pixels=2),
    ir.HorizontalFlip(),
    ir.RandomResizedCrop(scale=0.3),
    ir.RandAugment(),
    ir.ColorJitter(),
    ir.RandomErasing(p=0.9),
]
BATCH: list[Augmentation] = [ir.Mixup(), ir.CutMix()]


def of(*entries: Augmentation, channels: int = 3, side: int = 16) -> Augment:
    preprocess = Preprocess(
        image=(channels, side, side),
        fit="stretch",
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
    )
    return augmentation(recipe(augment=entries), preprocess)


@pytest.mark.parametrize("entry", SINGLE, ids=lambda entry: entry.kind)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_sample_is_changed_the_same_way_in_any_batch(
    entry: Augmentation, channels: int
) -> None:
    change = of(entry, channels=channels)
    images = torch.rand(8, channels, 16, 16)
    indices = torch.tensor([5, 3, 900, 17, 4, 1, 0, 77])
    torch.manual_seed(1)
    together = change(images, indices, 4)
    before = torch.get_rng_state()
    apart = [change(images[i : i + 1], indices[i : i + 1], 4) for i in range(8)]
    assert torch.equal(together, torch.cat(apart))
    assert torch.equal(before, torch.get_rng_state())
    assert together.shape == images.shape and together.dtype == torch.float32
    assert not torch.equal(together, images)
    assert not torch.equal(together, change(images, indices, 5))
    one_image = change(images[:1].expand(8, -1, -1, -1), indices, 4)
    assert not torch.equal(one_image, one_image[:1].expand_as(one_image))


def test_translate_moves_by_whole_pixels_and_fills_with_zero() -> None:
    images = torch.arange(1.0, 65).reshape(1, 1, 8, 8).expand(200, 1, 8, 8)
    moved = of(ir.Translate(pixels=1), channels=1, side=8)(images, torch.arange(200), 0)
    padded = torch.nn.functional.pad(images[:1], (1, 1, 1, 1))
    allowed = {
        padded[0, 0, y : y + 8, x : x + 8].flatten().tolist().__str__()
        for y in range(3)
        for x in range(3)
    }
    assert {str(image.flatten().tolist()) for image in moved} == allowed


def test_flip_mirrors_with_its_probability() -> None:
    images = torch.rand(1, 3, 16, 16).expand(1000, 3, 16, 16)
    flipped = of(ir.HorizontalFlip(p=0.25))(images, torch.arange(1000), 0)
    mirrored = (flipped == images.flip(-1)).flatten(1).all(1)
    assert torch.equal(flipped[~mirrored], images[~mirrored])
    assert 200 < int(mirrored.sum()) < 300


def test_erasing_comes_after_the_normalisation() -> None:
    change = of(ir.RandomErasing(p=1.0))
    erased = change(torch.zeros(20, 3, 16, 16), torch.arange(20), 0)
    assert (erased != 0).flatten(1).any(1).all()
    assert erased.min() < -1  # noise of unit variance, not in [0, 1]


def test_changes_apply_in_the_recipes_order() -> None:
    images = torch.rand(64, 3, 16, 16)
    one = of(ir.HorizontalFlip(p=1.0), ir.Translate(pixels=3))(
        images, torch.arange(64), 0
    )
    alone = of(ir.HorizontalFlip(p=1.0))(images, torch.arange(64), 0)
    assert torch.equal(alone, images.flip(-1))
    shifted = [
        torch.equal(a[:, :, :3], b[:, :, :3]) for a, b in zip(one, alone, strict=True)
    ]
    assert not all(shifted)


@pytest.mark.parametrize("entry", BATCH, ids=lambda entry: entry.kind)
def test_mixing_gives_shares_of_two_classes(entry: Augmentation) -> None:
    mix = BatchMixer(recipe(augment=(entry,)), 4)
    images, labels = torch.rand(8, 3, 16, 16), torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    mixed, targets = mix(images, labels)
    assert mixed.shape == images.shape and targets.shape == (8, 4)
    assert torch.allclose(targets.sum(1), torch.ones(8))
    assert ((targets > 0).sum(1) <= 2).all()


@pytest.mark.parametrize("entry", SINGLE + BATCH, ids=lambda entry: entry.kind)
def test_every_augmentation_trains_on_memory(entry: Augmentation, tmp_path) -> None:
    digits = job(recipe(augment=(entry,), epochs=1, schedule=ir.Cosine()))
    train(mlp(), digits, tmp_path / "digits", quiet=True)
    noise = synthetic_job(augment=(entry,))
    train(mlp((3, 16, 16), 4), noise, tmp_path / "noise", quiet=True)
    plain = synthetic_job()
    train(mlp((3, 16, 16), 4), plain, tmp_path / "plain", quiet=True)
    assert metrics(tmp_path / "noise") != metrics(tmp_path / "plain")


def test_what_cannot_be_done_is_refused_before_the_run(tmp_path) -> None:
    out = tmp_path / "run"
    far = job(recipe(augment=(ir.Translate(pixels=8),)))
    with pytest.raises(UsageError, match=r"translate\(8\).*8×8"):
        train(mlp(), far, out, quiet=True)
    lonely = synthetic_job(augment=(ir.Mixup(),), batch=1)
    with pytest.raises(UsageError, match="at least 2 images"):
        train(mlp((3, 16, 16), 4), lonely, out, quiet=True)
    deep = synthetic_job(augment=(ir.ColorJitter(),))
    deep = deep.model_copy(update={"image": (4, 16, 16)})
    with pytest.raises(UsageError, match="color_jitter needs images of 1 or 3"):
        train(mlp((4, 16, 16), 4), deep, out, quiet=True)
    assert not out.exists()
