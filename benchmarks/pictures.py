"""How long a diagram of each shipped spec and a report take.

Each picture is made by its own process, timed from start to end, the minimum of three.
The figure is processor time, which other load on the machine does not change. PyTorch
must not be imported, and the report must stay below one megabyte.

    python benchmarks/pictures.py [--quick]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rows import Row, main

SPECS = Path(__file__).parents[1] / "specs"
BOUND_DIAGRAM, BOUND_REPORT, BOUND_MEGABYTES = 2.0, 3.0, 1.0
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


def rows(given: argparse.Namespace) -> Iterator[Row]:
    names = ("digits", "fashion_mnist", "s2mlp_deep", "s2mlp_wide")
    views = ("model", "shift", "receptive-field")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("s2mlp_deep",) if given.quick else names:
            spec = str(SPECS / f"{name}.arch")
            for view in ("model",) if given.quick else views:
                out = f"{folder}/{name}.svg"
                taken, cpu = best("diagram", spec, "--view", view, "-o", out)
                detail = f"{taken:.2f} s on the clock"
                name_of = f"diagram of {name}, {view}"
                yield Row(name_of, cpu, "s", BOUND_DIAGRAM, detail=detail)
        page = Path(folder) / "report.html"
        taken, cpu = best("report", str(SPECS / "s2mlp_deep.arch"), "-o", str(page))
        detail = f"{taken:.2f} s on the clock"
        yield Row("report of s2mlp_deep", cpu, "s", BOUND_REPORT, detail=detail)
        size = page.stat().st_size / 1e6
        yield Row("report of s2mlp_deep, size", size, "MB", BOUND_MEGABYTES)


if __name__ == "__main__":
    main(rows, __doc__)
