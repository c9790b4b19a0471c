"""TensorBoard, on request. Its files hold the same figures as metrics.jsonl."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError

FOLDER = "tensorboard"


class Board:
    """Writes a run's figures where `tensorboard --logdir RUN` finds them."""

    def __init__(self, run: Path, step: int) -> None:
        """`step` is how far the metrics go; later figures are written again."""
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        try:
            self.writer = SummaryWriter(str(run / FOLDER), purge_step=step + 1)
        except OSError as error:
            raise EnvironmentFailure(f"cannot write {run / FOLDER}: {error}") from error

    def write(self, event: dict[str, Any]) -> None:
        """The numbers of an event, under its name."""
        group = {"steps": "train", "epoch": "epoch"}[event["event"]]
        figures = {**event, **event["time"]}
        for name in figures.keys() - {"event", "step", "epoch", "time"}:
            self.writer.add_scalar(f"{group}/{name}", figures[name], event["step"])

    def close(self) -> None:
        self.writer.close()


def require_tensorboard() -> None:
    """Raises UsageError with the remedy if TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard needs TensorBoard: pip install 's2mlp-dsl[tensorboard]'"
        )
