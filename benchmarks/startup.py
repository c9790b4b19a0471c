"""How long the command line takes to start, against `import torch`.

    python benchmarks/startup.py

Each command runs in a process of its own, the commands taking turns, and the
fastest of the runs counts: on a shared machine the fastest is the least
disturbed. Prints the ratio to `python -c "import torch"` in the same run.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 7
COMMANDS = {
    "import torch": ["-c", "import torch"],
    "--help": ["-m", "s2mlp_dsl", "--help"],
    "check": ["-m", "s2mlp_dsl", "check", "specs/s2mlp_deep.arch"],
}
TARGETS = {"--help": 0.25, "check": 0.25}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True
    )
    return time.perf_counter() - start


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            taken[name].append(seconds(arguments))
    whole = min(taken["import torch"])
    print(f"import torch: {whole:.3f} s (fastest of {ROUNDS})")
    for name, target in TARGETS.items():
        ratio = min(taken[name]) / whole
        verdict = "met" if ratio <= target else "MISSED"
        print(f"{name}: {ratio:.3f} of it, target {target} {verdict}")


if __name__ == "__main__":
    main()
