"""Using a run: testing it, asking it, watching it."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_digits
from torch import nn

from s2mlp_dsl.train import (
    EnvironmentFailure,
    UsageError,
    evaluate,
    logger,
    predict,
    train,
)
from tests.recipes import AdamW, Cosine, Translate

from .making import job, mlp, recipe, snapshot

GOOD = job(
    recipe(
        epochs=25,
        batch=64,
        optimizer=AdamW(lr=5e-3),
        schedule=Cosine(warmup=1, min_lr=1e-5),
        grad_clip=None,
    )
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("use") / "run"
    train(mlp(), GOOD, out, quiet=True)
    return out


def test_a_small_mlp_learns_digits_and_is_tested_alike(run: Path) -> None:
    before = snapshot(run)
    model = mlp(seed=1)
    result = evaluate(model, run)
    summary = train(mlp(), GOOD, run, resume=True, quiet=True)
    assert result.accuracy == summary.accuracy > 0.95
    assert result.loss == summary.loss
    assert (result.images, result.checkpoint) == (360, "step_00000550")
    assert sum(entry.images for entry in result.classes) == 360
    assert sum(entry.correct for entry in result.classes) == result.correct
    assert result.correct / 360 == result.accuracy
    assert evaluate(mlp(), run, checkpoint=run / "checkpoints/step_00000528").images
    assert snapshot(run) == before


def test_the_wrong_model_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the model has weights other"):
        evaluate(mlp(), run, weight_hash="other")
    with pytest.raises(UsageError, match=r"5\.weight \(10×64 there, 11×64 here\)"):
        evaluate(mlp(classes=11), run, weight_hash="weights")
    with pytest.raises(EnvironmentFailure, match="not a valid checkpoint"):
        evaluate(mlp(), run, checkpoint=tmp_path)


def test_what_fits_is_taken_when_asked(run: Path) -> None:
    class Longer(nn.Module):
        """The run's model, with a layer that it never had."""

        def __init__(self) -> None:
            super().__init__()
            for name, part in mlp().named_children():
                self.add_module(name, part)
            self.scale = nn.Parameter(torch.ones(10))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.Sequential(*self.children())(x) * self.scale

    with pytest.raises(UsageError, match=r"new: scale \(not there\)"):
        evaluate(Longer(), run)
    said: list[str] = []
    result = evaluate(Longer(), run, partial=True, say=said.append)
    assert result.accuracy == evaluate(mlp(), run).accuracy
    assert said[0].endswith("6 of 7 tensors") and said[1:] == [
        "  new: scale (not there)"
    ]


def test_digits_are_told_from_image_files(run: Path, tmp_path: Path) -> None:
    bunch = load_digits()
    paths, right = [], 0
    for number in range(100):
        paths.append(tmp_path / f"{number}.png")
        pixels = np.round(bunch.images[number] * (255 / 16)).astype(np.uint8)
        image = Image.fromarray(pixels)
        if number % 2:  # any size and any mode will do
            image = image.resize((80, 80), Image.Resampling.NEAREST).convert("RGBA")
        image.save(paths[-1])
    predictions = predict(mlp(), run, paths, top=3, weight_hash="weights")
    for number, prediction in enumerate(predictions):
        assert prediction.path == str(paths[number])
        shares = [guess.probability for guess in prediction.top]
        assert len(shares) == 3 and shares == sorted(shares, reverse=True)
        right += prediction.top[0].name == str(bunch.target[number])
    assert right >= 95


def test_an_unreadable_image_is_named(run: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not an image")
    deep = np.full((8, 8), 40_000, dtype=np.int32)
    Image.fromarray(deep).save(tmp_path / "deep.tiff")
    cases = {
        "missing.png": "No such file",
        "text.png": "cannot identify",
        "deep.tiff": "more than 16 bits",
        ".": "Is a directory",
    }
    for name, reason in cases.items():
        with pytest.raises(EnvironmentFailure, match=reason) as error:
            predict(mlp(), run, [tmp_path / name])
        assert str(tmp_path / name) in str(error.value)


def test_a_pipe_gets_plain_lines_and_quiet_gets_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = job(recipe(augment=(Translate(),)))
    train(mlp(), chosen, tmp_path / "loud")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/2  loss ") and "test" in lines[0]
    assert lines[2].startswith("finished: test ")
    assert not any("\x1b" in line for line in lines)
    train(mlp(), chosen, tmp_path / "quiet", quiet=True)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_terminal_gets_a_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()

    def console(**settings: bool) -> Console:
        return Console(file=screen, force_terminal=True, width=120, **settings)

    monkeypatch.setattr(logger, "Console", console)
    train(mlp(), job(), tmp_path / "run")
    assert "22/22" in screen.getvalue() and "epoch 2/2" in screen.getvalue()


def test_a_models_mode_is_given_back(run: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "a.png")
    for training in (True, False):
        model = mlp().train(training)
        evaluate(model, run)
        predict(model, run, [tmp_path / "a.png"])
        assert model.training is training


def test_evaluate_leaves_random_numbers_alone(run: Path) -> None:
    before = torch.get_rng_state()
    evaluate(mlp(), run)
    assert torch.equal(before, torch.get_rng_state())
