"""Order, schedule and random numbers are pure functions of where one is."""

import itertools

import numpy as np
import pytest
import torch

from s2mlp_dsl.data.sampler import BatchSplit, Sampler
from s2mlp_dsl.data.seeds import derive, reseed, uniforms
from s2mlp_dsl.train import UsageError
from tests.recipes import AdamW, Cosine, LearningRate, Recipe

from .making import recipe


def of(chosen: Recipe, steps_per_epoch: int) -> LearningRate:
    return LearningRate.of(
        chosen, (chosen.epochs or 0) * steps_per_epoch, steps_per_epoch
    )


def test_an_epoch_shows_each_image_at_most_once_and_drops_the_last_batch() -> None:
    order = Sampler(images=103, batch=10, steps=30, seed=1)
    assert (order.steps_per_epoch, order.steps) == (10, 30)
    requests = list(order.batches(0))
    epochs = [
        torch.cat([r.indices for r in requests[e * 10 : e * 10 + 10]]) for e in (0, 1)
    ]
    for indices in epochs:
        assert len(indices.unique()) == 100
        assert indices.min() >= 0 and indices.max() < 103
    assert not torch.equal(*epochs)


@pytest.mark.parametrize("start", [0, 1, 9, 10, 11, 29, 30])
def test_the_order_can_be_taken_up_at_any_step(start: int) -> None:
    order = Sampler(images=103, batch=10, steps=30, seed=1)
    whole = list(order.batches(0))[start:]
    tail = list(order.batches(start))
    assert len(whole) == len(tail)
    for one, other in zip(whole, tail, strict=True):
        assert one.epoch == other.epoch
        assert torch.equal(one.indices, other.indices)


def test_a_test_shows_every_image_once() -> None:
    for size in (1, 2, 3, 8):
        shares = [
            list(BatchSplit(rank, size).evaluation(103, 10 * size))
            for rank in range(size)
        ]
        assert len({len(share) for share in shares}) == 1
        seen = torch.cat([r.indices[r.counted] for share in shares for r in share])
        assert torch.equal(seen.sort().values, torch.arange(103))


def test_a_batch_beyond_the_data_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2,048.*1,437"):
        Sampler(images=1437, batch=2048, steps=1, seed=0)


def test_the_learning_rate_warms_up_and_decays() -> None:
    chosen = recipe(
        epochs=10,
        optimizer=AdamW(lr=1e-3),
        schedule=Cosine(warmup=2, min_lr=1e-5, warmup_lr=1e-6),
    )
    schedule = of(chosen, 100)
    rates = [schedule.at(step) for step in range(schedule.steps)]
    assert (schedule.schedule.warmup, schedule.steps) == (200, 1000)
    assert rates[0] == 1e-6
    assert rates[100] == pytest.approx((1e-6 + 1e-3) / 2)
    assert rates[200] == pytest.approx(1e-3)
    assert rates[600] == pytest.approx((1e-3 + 1e-5) / 2)
    assert 1e-5 < rates[-1] < 1.01e-5
    assert all(b > a for a, b in itertools.pairwise(rates[:201]))
    assert all(b < a for a, b in itertools.pairwise(rates[200:]))


def test_the_schedules_hash_tells_any_change() -> None:
    one = of(recipe(), 11).digest()
    assert one == of(recipe(), 11).digest()
    assert one != of(recipe(), 12).digest()
    assert one != of(recipe(epochs=3), 11).digest()
    assert one != of(recipe(optimizer=AdamW(lr=1e-3)), 11).digest()


def test_impossible_schedules_are_refused() -> None:
    with pytest.raises(UsageError, match="warm-up of 2 epochs leaves nothing of 2"):
        of(recipe(schedule=Cosine(warmup=2)), 11)
    with pytest.raises(UsageError, match=r"min_lr 0\.5 is above"):
        of(recipe(schedule=Cosine(min_lr=0.5)), 11)
    nearly = of(recipe(schedule=Cosine(warmup=1.999)), 11)
    assert nearly.at(nearly.steps - 1) == nearly.peak


def test_random_numbers_belong_to_samples_not_to_batches() -> None:
    seed = derive("test", 1)
    together = uniforms(seed, np.arange(50), 3)
    apart = torch.cat([uniforms(seed, np.array([n]), 3) for n in range(50)])
    assert torch.equal(together, apart)


def test_random_numbers_are_uniform_and_not_correlated() -> None:
    draws = uniforms(derive("test", 2), np.arange(20_000), 2)
    other = uniforms(derive("test", 3), np.arange(20_000), 2)
    assert draws.min() >= 0 and draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.01
    assert abs(draws.var() - 1 / 12) < 0.002
    columns = torch.stack([*draws.T, *other.T, draws[:, 0].roll(1)])
    off_diagonal = torch.corrcoef(columns) - torch.eye(5)
    assert off_diagonal.abs().max() < 0.03


def test_seeds_differ_by_purpose_and_place() -> None:
    places = [("a", 1, 2), ("a", 12), ("a", 2, 1), ("b", 1, 2), ("a", 1)]
    seeds = {derive(purpose, *numbers) for purpose, *numbers in places}
    assert len(seeds) == len(places)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_reseeding_is_torchs_seed_and_leaves_nothing_behind() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(77)
        expected = torch.rand(5)
        waiting = len(torch.cuda._queued_calls)
        for _ in range(3):
            reseed(77)
            assert torch.equal(torch.rand(5), expected)
        assert len(torch.cuda._queued_calls) == waiting
