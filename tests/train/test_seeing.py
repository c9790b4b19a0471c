"""What is seen of a run: the terminal, TensorBoard, figures, confusions."""

import io
import re
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from sklearn.metrics import confusion_matrix

from s2mlp_dsl.data.batch import Batch, BatchIndices
from s2mlp_dsl.data.memory import InMemory
from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.train import evaluate, image_files, logger, train
from s2mlp_dsl.train.curves import draw_curves
from s2mlp_dsl.train.data import open_data

from .making import job, metrics, mlp
from .test_step import BadAt

CPU = torch.device("cpu")


def test_a_terminal_shows_the_figures_and_the_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()

    def console(**settings: bool) -> Console:
        return Console(file=screen, force_terminal=True, width=140, **settings)

    monkeypatch.setattr(logger, "Console", console)
    train(mlp(), job(), tmp_path / "run")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    bar = r"22/22 +(-|\d+):..:.. +loss \d\.\d+  train \d+\.\d%  [\d,]+ images/s"
    assert re.search(bar, plain), plain[-600:]


def test_mfu_is_shown_where_it_is_known() -> None:
    event = {"time": {"images_per_second": 1234.5, "mfu": 0.412}}
    assert logger.speed_text(event) == "1,234 images/s  41% MFU"


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard itself reads of a run's folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard")).Reload()
    return {
        tag: [(one.step, one.value) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_tensorboard_reads_the_figures_of_the_metrics(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(mlp(), job(), whole, quiet=True, tensorboard=True)
    # The line of step 21 is written, the checkpoint before it is of step 11: what is
    # resumed from there writes that line again, and it must not be shown twice.
    with pytest.raises(EnvironmentFailure, match="step 21"):
        train(BadAt(mlp(), 25, False), job(), cut, quiet=True, tensorboard=True)
    again = BadAt(mlp(), 0, False)
    train(again, job(), cut, quiet=True, tensorboard=True, resume=True)
    for run in (whole, cut):
        read = scalars(run)
        for kind, group in (("steps", "train"), ("epoch", "epoch")):
            lines = [line for line in metrics(run) if line["event"] == kind]
            for figure in lines[0].keys() - {"event", "step", "epoch"}:
                expected = [(line["step"], line[figure]) for line in lines]
                got = read[f"{group}/{figure}"]
                assert [step for step, _ in got] == [step for step, _ in expected]
                assert got == [(s, pytest.approx(v, rel=1e-6)) for s, v in expected]
        assert read["train/images_per_second"][0][1] > 0


def test_no_board_is_written_unless_asked_for(tmp_path: Path) -> None:
    train(mlp(), job(), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run/tensorboard").exists()


def test_a_summary_tells_speed_waiting_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = train(mlp(), job(), tmp_path / "quick", quiet=True)
    given = InMemory.batches

    def slowly(
        self: InMemory, requests: Iterable[BatchIndices]
    ) -> Generator[Batch, None, None]:
        for batch in given(self, requests):
            time.sleep(0.05)
            yield batch

    monkeypatch.setattr(InMemory, "batches", slowly)
    slow = train(mlp(), job(), tmp_path / "slow", quiet=True)
    for one in (quick, slow):
        training = one.steps * 128 / one.images_per_second
        assert 0 < training <= one.seconds
        assert one.peak_memory_bytes > 2**26 and one.mfu is None
    assert 0 < quick.data_wait_share < slow.data_wait_share < 1
    waited = slow.data_wait_share * slow.steps * 128 / slow.images_per_second
    assert waited >= 22 * 0.05


def test_confusions_are_those_of_scikit_learn(tmp_path: Path) -> None:
    train(mlp(), job(), tmp_path / "run", quiet=True)
    model = mlp(seed=4)
    result = evaluate(model, tmp_path / "run")
    (batch,) = open_data(job(), CPU, None).test.batches(
        BatchSplit().evaluation(360, 360)
    )
    with torch.inference_mode():
        guesses = model.eval()(batch.images_BCHW).argmax(1)
    expected = confusion_matrix(batch.labels_B.tolist(), guesses.tolist())
    assert result.confusion is not None
    assert [list(row) for row in result.confusion] == expected.tolist()
    for place, one in enumerate(result.classes):
        right, images = expected[place, place], expected[place].sum()
        assert (one.correct, one.images) == (right, images)
        assert one.accuracy == right / images


def test_curves_show_every_epochs_test(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run = tmp_path / "run"
    train(mlp(), job(), run, quiet=True)
    assert draw_curves(run, run / "metrics.jsonl") is None
    first = (run / "curves.svg").read_text()
    for said in ("loss, nats", "accuracy, %", "learning rate", "train", "test"):
        assert f">{said}</text>" in first
    assert draw_curves(run, run / "metrics.jsonl") is None
    assert (run / "curves.svg").read_text() == first


def test_image_files_are_found_below_folders(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    for name in ("b.PNG", "deep/er/a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    found = image_files([tmp_path, tmp_path / "notes.txt"])
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["b.PNG", "deep/er/a.jpg", "notes.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(EnvironmentFailure, match="has no image"):
        image_files([tmp_path / "empty"])
