"""One process of a run that several share: `torchrun … ranks.py OUT [die] [RUN]`.

The model has no dropout and nothing is mixed, so that the number of processes
must not show. With `die`, rank 1 kills itself once, in the middle of the run.
Another run, if named, is tested as well. `bf16_weights` is a precision.
"""

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from s2mlp_dsl.train import RunError, evaluate, train
from tests.recipes import Translate
from tests.train.making import job, recipe


class Dies(nn.Module):
    """Ends its process with SIGKILL in one forward pass, once per run folder."""

    def __init__(self, inner: nn.Module, mark: Path | None) -> None:
        super().__init__()
        self.inner, self.mark, self.calls = inner, mark, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.mark is not None and self.calls == 17 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(x)


def plain() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 10)
    )


def with_norm() -> nn.Module:
    from tests.train.test_batch_norm import net

    return net()


def main() -> None:
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    dies = "die" in sys.argv and os.environ["RANK"] == "1"
    inner = with_norm() if "norm" in sys.argv else plain()
    model = inner
    if "norm" not in sys.argv:
        model = Dies(inner, out.with_suffix(".died") if dies else None)
    precision = "bf16_weights" if "bf16_weights" in sys.argv else "auto"
    chosen = job(
        recipe(augment=(Translate(),), micro_batch=50, ema=0.99, precision=precision)
    )
    try:
        train(model, chosen, out, resume=True, device="cpu", quiet=True)
        results = {".json": evaluate(model, out, device="cpu")}
        words = {"die", "bf16_weights", "norm"}
        if others := [Path(word) for word in sys.argv[2:] if word not in words]:
            other = Dies(plain(), None)
            results[".other.json"] = evaluate(other, others[0], device="cpu")
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    if os.environ.get("RANK", "0") == "0":
        for ending, result in results.items():
            out.with_suffix(ending).write_text(result.model_dump_json())


if __name__ == "__main__":
    main()
