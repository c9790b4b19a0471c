"""A share of the training images: which, how often, and that a run keeps to it."""

from pathlib import Path

import pytest
import torch

from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.data.subset import Subset, balanced_order
from s2mlp_dsl.train import Interrupted, Run, UsageError, train
from s2mlp_dsl.train.data import open_data, sampler_of
from tests import recipes as ir

from .making import assert_same_run, job, recipe, synthetic_job, weights
from .test_resume import plain

CPU = torch.device("cpu")


def chosen_by(**changes: object) -> torch.Tensor:
    """The numbers of the images of a share, in their order."""
    train_half = open_data(job(recipe(**changes)), CPU, None).train
    assert isinstance(train_half, Subset)
    return train_half.chosen


def test_the_smaller_share_lies_within_the_larger() -> None:
    small, large = chosen_by(train_fraction=0.05), chosen_by(train_fraction=0.2)
    assert (len(small), len(large)) == (72, 287)  # of 1,437: 71.85 and 287.4
    assert len(set(large.tolist())) == 287
    assert torch.equal(large[:72], small)


def test_every_beginning_is_balanced() -> None:
    """Unequal classes too: each has its share but for less than one image."""
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 7)[torch.randperm(87)]
    order = balanced_order(labels, seed=3)
    assert order.sort().values.tolist() == list(range(87))
    for count in range(3, 88):
        held = labels[order[:count]].bincount(minlength=3)
        assert held.min() > 0
        assert (held - torch.tensor([50, 30, 7]) * count / 87).abs().max() < 1


def test_the_seed_draws_and_nothing_else() -> None:
    first = chosen_by(train_fraction=0.05, seed=1)
    assert torch.equal(first, chosen_by(train_fraction=0.05, seed=1, batch=7, epochs=9))
    assert not torch.equal(first, chosen_by(train_fraction=0.05, seed=2))


def test_an_epoch_is_as_long_and_shows_each_image_as_often() -> None:
    settings = job(recipe(train_fraction=0.05, batch=479))  # 1,437 = 3 · 479
    data = open_data(settings, CPU, None)
    order = sampler_of(settings.recipe, data.train.images)
    assert (order.steps_per_epoch, data.train_images) == (3, 72)
    requests = [one for one in order.batches(0) if one.epoch == 1]
    batches = list(data.train.batches(requests))
    shown = torch.cat([batch.indices for batch in batches]).bincount()
    chosen = chosen_by(train_fraction=0.05)
    assert set(shown[chosen].tolist()) == {19, 20}  # 1,437 / 72 = 19.96
    assert shown.sum() == 1437 == shown[chosen].sum()
    # The images are those of the numbers, and the test is as without a share.
    whole = open_data(job(), CPU, None)
    (all_images,) = whole.train.batches(BatchSplit().evaluation(1437, 1437))
    batch = batches[0]
    assert torch.equal(batch.images_BCHW, all_images.images_BCHW[batch.indices])
    assert torch.equal(batch.labels_B, all_images.labels_B[batch.indices])
    assert data.test.images == 360


def test_all_of_it_is_no_share() -> None:
    assert open_data(job(recipe(train_fraction=1)), CPU, None).train_images == 1437
    few = synthetic_job(train_fraction=0.01)
    with pytest.raises(UsageError, match=r"a fraction of 0\.01 of 32 .* less than one"):
        open_data(few, CPU, None)


def test_a_stopped_run_keeps_to_its_share(tmp_path: Path) -> None:
    chosen = job(recipe(train_fraction=0.1, augment=(ir.Translate(),)))
    train(plain(0), chosen, tmp_path / "whole", quiet=True)
    with pytest.raises(Interrupted):
        train(plain(16), chosen, tmp_path / "cut", quiet=True)
    with pytest.raises(UsageError, match=r"job\.recipe\.train_fraction: 0\.1 → 0\.2"):
        other = job(recipe(train_fraction=0.2, augment=(ir.Translate(),)))
        train(plain(0), other, tmp_path / "cut", resume=True, quiet=True)
    train(plain(0), chosen, tmp_path / "cut", resume=True, quiet=True)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")
    assert Run.open(tmp_path / "cut").train_images == 144
    train(
        plain(0), job(recipe(augment=(ir.Translate(),))), tmp_path / "all", quiet=True
    )
    ours, theirs = weights(tmp_path / "whole"), weights(tmp_path / "all")
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)
