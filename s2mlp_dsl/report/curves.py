"""Curves of runs as inline SVG: loss and accuracy by epoch."""

from collections.abc import Callable, Sequence
from html import escape
from math import floor, isfinite, log10

from s2mlp_dsl.report.subject import Epoch, RunCurves

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 480, 260, 52, 34, 12, 12
COLOURS = 6  # distinct strokes in style.css; later runs begin again

Value = Callable[[Epoch], float]


def curves(runs: Sequence[RunCurves]) -> str:
    """Two charts, a legend and the figures at the end."""
    if not runs:
        return ""
    loss = _chart("loss", runs, lambda one: one.loss, lambda one: one.test_loss)
    accuracy = _chart(
        "accuracy", runs, lambda one: one.train_accuracy, lambda one: one.test_accuracy
    )
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 8" aria-hidden="true">'
        f'<path class="c{n % COLOURS}" d="M0 4H24"/></svg> {escape(run.name)}: '
        f"{escape(run.model)} by {escape(run.recipe)}{_end(run)}</li>"
        for n, run in enumerate(runs)
    )
    return (
        '<section id="runs"><h2>Runs</h2>'
        f'<div class="charts">{loss}{accuracy}</div>'
        f"<p>Full lines are the test, broken ones the training.</p><ul>{legend}</ul>"
        "</section>"
    )


def _end(run: RunCurves) -> str:
    if not run.epochs:
        return ", no epoch finished"
    last = run.epochs[-1]
    state = "" if run.summary.get("finished") else ", unfinished"
    return f", {last.test_accuracy:.2%} of the test after {last.number} epochs{state}"


def _chart(what: str, runs: Sequence[RunCurves], train: Value, test: Value) -> str:
    values = [v(one) for run in runs for one in run.epochs for v in (train, test)]
    values = [one for one in values if isfinite(one)]
    last = max((one.number for run in runs for one in run.epochs), default=1)
    top = _ceiling(max(values, default=1.0))

    def place(epoch: int, value: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(last - 1, 1)
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(value, top) / top
        return f"{x:.1f} {y:.1f}"

    lines = []
    for number, run in enumerate(runs):
        for kind, value in (("train", train), ("test", test)):
            points = [
                place(one.number, value(one))
                for one in run.epochs
                if isfinite(value(one))
            ]
            if points:
                path = "M" + "L".join(points)
                lines.append(f'<path class="c{number % COLOURS} {kind}" d="{path}"/>')
    return (
        f'<figure><svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{what} by epoch</title>{_axes(last, top)}{''.join(lines)}</svg>"
        f"<figcaption>{what} by epoch</figcaption></figure>"
    )


def _axes(last: int, top: float) -> str:
    parts = []
    for step in range(5):
        value = top * step / 4
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * step / 4
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="y">{value:.3g}</text>'
        )
    for epoch in sorted({1, (1 + last) // 2, last}):
        x = LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 1) / max(last - 1, 1)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 12}" class="x">{epoch}</text>')
    return "".join(parts)


def _ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten; accuracies end at 1."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(n * power for n in (1, 2, 4, 5, 8, 10) if n * power >= value * 0.999)
