"""Training runs: loss and accuracy by epoch, as inline SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from pathlib import Path
from typing import Any

from s2mlp_dsl.escape import xml

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 480, 260, 52, 34, 12, 12
COLOURS = 6  # strokes in style.css; further runs begin again

Epoch = dict[str, Any]  # an event of metrics.jsonl; accuracies are fractions


@dataclass(frozen=True)
class Run:
    """What a page shows of a training run, and the files that it was read from."""

    name: str
    model: str
    recipe: str
    epochs: tuple[Epoch, ...]
    finished: bool
    files: tuple[Path, ...]


def read_run(folder: Path, say: Callable[[str], None]) -> Run:
    """The run of a folder. Raises EnvironmentFailure as `train.Run.open` does.

    Damaged lines of its log are left out, which `say` is told.
    """
    # With it comes PyTorch, which a page without runs does not need.
    from s2mlp_dsl.train import run as runs
    from s2mlp_dsl.train.events import damage_text, read_events, read_lines
    from s2mlp_dsl.train.logger import METRICS

    run, log = runs.Run.open(folder), folder / METRICS
    events, damaged = read_events(read_lines(log))
    if damaged:
        say(damage_text(log, damaged))
    return Run(
        folder.absolute().name,
        run.job.model_name,
        run.job.recipe_name,
        tuple(event for event in events if event["event"] == "epoch"),
        finished=run.summary() is not None,
        files=(
            log,
            *(folder / one for one in (runs.RUN, runs.MODEL_TEXT, runs.SUMMARY)),
        ),
    )


def curves(runs: Sequence[Run]) -> str:
    """Two charts, and a legend with the last accuracy of each run."""
    if not runs:
        return ""
    charts = _chart("loss", runs, train="loss", test="test_loss")
    charts += _chart("accuracy", runs, train="train_accuracy", test="test_accuracy")
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 8" aria-hidden="true">'
        f'<path class="c{number % COLOURS}" d="M0 4H24"/></svg> '
        f"{xml(f'{run.name}: {run.model} by {run.recipe}{_end(run)}')}</li>"
        for number, run in enumerate(runs)
    )
    return (
        f'<section id="runs"><h2>Runs</h2><div class="charts">{charts}</div>'
        "<p>Solid lines are the test set, dashed lines the training set.</p>"
        f"<ul>{legend}</ul></section>"
    )


def _end(run: Run) -> str:
    if not run.epochs:
        return ", no epoch finished"
    last = run.epochs[-1]
    state = "" if run.finished else ", unfinished"
    return (
        f", {last['test_accuracy']:.2%} test accuracy after {last['epoch']:.0f} epochs"
        f"{state}"
    )


def _chart(what: str, runs: Sequence[Run], *, train: str, test: str) -> str:
    """A line per run for the training set and one for the test set."""
    lines = [
        (f"c{n % COLOURS} {kind}", [(one["epoch"], one[key]) for one in run.epochs])
        for n, run in enumerate(runs)
        for kind, key in (("train", train), ("test", test))
    ]
    points = [point for _, line in lines for point in line]
    last = int(max((epoch for epoch, _ in points), default=1))
    top = _ceiling(max((y for _, y in points if isfinite(y)), default=1.0))
    drawn = [_axes(last, top)]
    for style, line in lines:
        path = "L".join(
            f"{_x(epoch, last):.1f} {_y(min(value, top) / top):.1f}"
            for epoch, value in line
            if isfinite(value)
        )
        drawn.append(f'<path class="{style}" d="M{path}"/>' if path else "")
    return (
        f'<figure><svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{what} by epoch</title>{''.join(drawn)}</svg>"
        f"<figcaption>{what} by epoch</figcaption></figure>"
    )


def _x(epoch: float, last: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(last - 1, 1)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def _axes(last: int, top: float) -> str:
    parts = []
    for step in range(5):
        y, value = _y(step / 4), f"{top * step / 4:.3g}"
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="y">{value}</text>')
    for epoch in sorted({1, (1 + last) // 2, last}):
        x, y = _x(epoch, last), HEIGHT - 12
        parts.append(f'<text x="{x:.1f}" y="{y}" class="x">{epoch}</text>')
    return "".join(parts)


def _ceiling(value: float) -> float:
    """The next 1, 2, 4, 5 or 8 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(n * power for n in (1, 2, 4, 5, 8, 10) if n * power >= value * 0.999)
