"""Where the time goes on a GPU: ceilings, shift, block, models, the shift's share.

    python benchmarks/gpu.py [--out runs/gpu.jsonl] [--stages ceilings shift …]
    python benchmarks/gpu.py --tiny --device cpu     # every stage, small, anywhere

Stages run in order of importance, each in its own process with its own deadline, ten
minutes in total. Each row is appended to `--out` as a JSON line at once, and a row that
fails does not stop the others. Images are 224 px, batch 256, random. Blocks are
compiled one by one and steps computed in a `precision` of recipes, as by `train`, for
the port and Mixer too.

    ceilings  products of bf16 matrices in TFLOP/s, copies in TB/s
    shift     GELU and the shift on [256, 14, 14, 384] in each form, compiled
    block     one block in each layout and precision, compiled
    models    deep and wide against the port (clone + slices) and timm's Mixer-B/16,
              training in bf16 weights and in autocast, inference in bf16; deep with
              `compile = autotune` as well
    share     the shift's part of a training step, by the profiler and by the clock

`--tiny` only tests that everything runs, compiled by the backend `aot_eager`: its
figures have no meaning and no targets.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from on_gpu.models import models
from on_gpu.parts import block, ceilings, shift
from on_gpu.setup import Failed, Rows, Setup
from on_gpu.share import share
from rows import line

STAGES: dict[str, Callable[[Setup], Rows]] = {
    "ceilings": ceilings,
    "shift": shift,
    "block": block,
    "models": models,
    "share": share,
}
SECONDS = {"ceilings": 30, "shift": 80, "block": 100, "models": 310, "share": 75}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu.jsonl"))
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--alone", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if given.alone:
        measure(given.alone, given)
        return
    late = [name for name in given.stages if not ran(name, given)]
    sys.exit(f"not finished: {', '.join(late)}" if late else 0)


def measure(stage: str, given: argparse.Namespace) -> None:
    """Print and store the rows of a stage; exit 1 if one failed."""
    setup, failed = Setup(torch.device(given.device), given.tiny), False
    if given.tiny:
        compiled = partial(torch.compile, backend="aot_eager")
        torch.compile = lambda run, options=None: compiled(run)  # it has no options
    with given.out.open("a") as out:
        for row in STAGES[stage](setup):
            failed |= isinstance(row, Failed)
            said = f"{row.name}: {row.reason}" if isinstance(row, Failed) else line(row)
            print(said, flush=True)
            record = {"stage": stage, **row.record}
            print(json.dumps(record, ensure_ascii=False), file=out, flush=True)
    sys.exit(int(failed))


def ran(name: str, given: argparse.Namespace) -> bool:
    """Run a stage in its own process, until its deadline."""
    command = [sys.executable, __file__, "--alone", name, "--device", given.device]
    command += ["--out", str(given.out), *(["--tiny"] if given.tiny else [])]
    print(f"\n{name}", flush=True)
    try:
        # A CPU that tries it may be slow and shared.
        limit = SECONDS[name] * (3 if given.tiny else 1)
        return subprocess.run(command, timeout=limit).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    main()
