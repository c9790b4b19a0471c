"""How long a diagram of each shipped spec and a report take, as a user waits.

A process of its own per picture, from its start to its end, the best of three;
`cpu` is what it computed, which other work on the machine does not change.
PyTorch must not be imported, and the report must stay below a megabyte.

    python benchmarks/pictures.py
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPECS = Path(__file__).parents[1] / "specs"
BOUND_DIAGRAM, BOUND_REPORT, BOUND_BYTES = 2.0, 3.0, 1_000_000
PROGRAM = (
    "import sys; from s2mlp_dsl.cli.app import app;"
    "app.main(sys.argv[1:], standalone_mode=False);"
    "assert 'torch' not in sys.modules"
)


def best(*words: str) -> tuple[float, float]:
    """Seconds on the clock and of computing, of the quickest of three runs."""
    runs = []
    for _ in range(3):
        before, begun = (
            resource.getrusage(resource.RUSAGE_CHILDREN),
            time.perf_counter(),
        )
        command = [sys.executable, "-c", PROGRAM, *words]
        subprocess.run(command, check=True, capture_output=True)
        taken = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        runs.append((taken, cpu))
    return min(runs)


def main() -> int:
    late = False
    with tempfile.TemporaryDirectory() as folder:
        for name in ("digits", "fashion_mnist", "s2mlp_deep", "s2mlp_wide"):
            spec = str(SPECS / f"{name}.arch")
            for view in ("model", "shift", "reach"):
                out = f"{folder}/{name}.svg"
                taken, cpu = best("diagram", spec, "--view", view, "-o", out)
                late |= cpu > BOUND_DIAGRAM
                print(f"{name:14} {view:6} {taken:5.2f} s  cpu {cpu:5.2f} s")
        page = Path(folder) / "report.html"
        taken, cpu = best("report", str(SPECS / "s2mlp_deep.arch"), "-o", str(page))
        size = page.stat().st_size
        late |= cpu > BOUND_REPORT or size > BOUND_BYTES
        print(
            f"{'s2mlp_deep':14} report {taken:5.2f} s  cpu {cpu:5.2f} s  {size:,} bytes"
        )
    print("over a bound" if late else "all within bounds")
    return int(late)


if __name__ == "__main__":
    raise SystemExit(main())
