"""Loss, accuracy and learning rate of a run as curves.svg."""

import io
from pathlib import Path
from typing import Any

from s2mlp_dsl import disk
from s2mlp_dsl.train.events import read_events, read_lines

CURVES = "curves.svg"


def draw_curves(run: Path, metrics: Path) -> str | None:
    """Draw a run's metrics into its folder.

    Returns what to tell the user if matplotlib is missing. Raises EnvironmentFailure
    if a file cannot be read or written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return f"no {CURVES}: drawing needs pip install 's2mlp-dsl[plots]'"
    import matplotlib

    events, _ = read_events(read_lines(metrics))
    steps = [event for event in events if event["event"] == "steps"]
    epochs = [event for event in events if event["event"] == "epoch"]
    # Text stays text, and equal metrics give an equal file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "s2mlp-dsl"}):
        figure = Figure(figsize=(12, 3.5), layout="constrained")
        loss, accuracy, rate = figure.subplots(1, 3)
        _line(loss, steps, "loss", "train")
        _line(loss, epochs, "test_loss", "test")
        _line(accuracy, epochs, "train_accuracy", "train", 100)
        _line(accuracy, epochs, "test_accuracy", "test", 100)
        _line(rate, steps, "lr", "learning rate")
        titles = ("loss, nats", "accuracy, %", "learning rate")
        for axes, title in zip((loss, accuracy, rate), titles, strict=True):
            axes.set_title(title)
            axes.set_xlabel("step")
            axes.grid(alpha=0.3)
            if axes.lines and axes is not rate:
                axes.legend()
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    disk.replace(run / CURVES, drawn.getvalue())
    return None


def _line(
    axes: Any, lines: list[dict[str, Any]], figure: str, label: str, factor: float = 1
) -> None:
    if lines:
        values = [line[figure] * factor for line in lines]
        marker = "." if len(lines) < 60 else None
        axes.plot([line["step"] for line in lines], values, label=label, marker=marker)
