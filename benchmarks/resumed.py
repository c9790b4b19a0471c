"""Both of the paper's models for 200 steps on a GPU, stopped in the middle and resumed.

    python benchmarks/resumed.py [--device cuda] [--out runs/resumed] [--tiny]

224 px, bf16, compiled, on random images, by the recipe `speed` of specs/recipes.arch.
Fails if a loss is not finite, if SIGTERM does not lead to a checkpoint and exit code
143, or if the resumed run is not complete. Speed and MFU are medians of the log lines
after the first, which includes the compilation. `--tiny` does the same with small
models anywhere.
"""

import argparse
import json
import math
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STEPS = 200
TINY = ("width=16", "depth=2", "size=64", "classes=10", "batch=16", "compile=off")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=Path("runs/resumed"))
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    for name in ("s2mlp",) if given.tiny else ("s2mlp_deep", "s2mlp_wide"):
        out = given.out / name
        if out.exists():
            sys.exit(f"{out} is there already; name another --out")
        command = [sys.executable, "-m", "s2mlp_dsl", "train", f"specs/{name}.arch"]
        command += ["--recipe", "specs/recipes.arch:speed", "--device", given.device]
        command += ["--out", str(out.absolute()), "--resume", "-q"]
        command += [w for one in TINY if given.tiny for w in ("--set", one)]
        stopped = stop_in_the_middle(command, out)
        subprocess.run(command, cwd=ROOT, check=True)
        report(name, out, stopped)


def stop_in_the_middle(command: list[str], out: Path) -> int:
    """Start a run, send it SIGTERM half way, and return the step it saved."""
    process = subprocess.Popen(command, cwd=ROOT)
    while process.poll() is None and last_step(out) < STEPS // 2:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code = process.wait()
    if code != 128 + signal.SIGTERM:
        sys.exit(f"{out}: the run ended with {code}, not stopped by SIGTERM")
    latest = (out / "checkpoints/latest").read_text().strip()
    return int(latest.removeprefix("step_"))


def last_step(out: Path) -> int:
    lines = events(out)
    return int(lines[-1]["step"]) if lines else 0


def events(out: Path) -> list[dict[str, Any]]:
    path = out / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    # The last line may be under way.
    return [json.loads(line) for line in text.splitlines(keepends=True) if "\n" in line]


def report(name: str, out: Path, stopped: int) -> None:
    steps = [event for event in events(out) if event["event"] == "steps"]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["steps"] == STEPS and 0 < stopped < STEPS
    assert all(math.isfinite(event["loss"]) for event in steps)
    speeds = [event["time"]["images_per_second"] for event in steps[1:]]
    shares = [e["time"]["mfu"] for e in steps[1:] if "mfu" in e["time"]]
    used = f"{statistics.median(shares):.1%} MFU" if shares else "MFU not known here"
    print(
        f"{name}: {STEPS} steps in {summary['precision']} on {summary['device']}, "
        f"stopped at {stopped} and resumed; loss {steps[0]['loss']:.3f} → "
        f"{steps[-1]['loss']:.3f}; {statistics.median(speeds):,.0f} images/s, {used}, "
        f"{summary['peak_memory_bytes'] / 2**30:.1f} GiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
