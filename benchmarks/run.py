"""All benchmarks that do not need a GPU: one table with targets and verdicts.

    python benchmarks/run.py --quick    # under five minutes on two cores
    python benchmarks/run.py            # and writes benchmarks/results/cpu.{json,md}

Scripts run one after the other, each in its own process. One that fails or takes too
long is reported as a row. The exit code is 1 if a target is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rows import HEAD, ROOT, Row, line

SCRIPTS = [
    "startup",
    "lines",
    "build",
    "shift",
    "cpu",
    "memory",
    "input",
    "loop",
    "pictures",
]
RESULTS = ROOT / "benchmarks/results"
QUICK_LIMIT, LIMIT = 120, 1800  # seconds for one script


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and sizes")
    parser.add_argument("scripts", nargs="*", help="only these scripts")
    given = parser.parse_args()
    began = time.monotonic()
    found: dict[str, list[dict[str, Any]]] = {}
    for name in given.scripts or SCRIPTS:
        print(f"\n{name}.py", flush=True)
        found[name] = run(name, given.quick)
    rows = [row for some in found.values() for row in some]
    missed = sum(row["verdict"] == "MISSED" for row in rows)
    met = sum(row["verdict"] == "met" for row in rows)
    taken = time.monotonic() - began
    print(f"\n{met} targets met, {missed} missed, in {taken:.0f} s")
    if not given.quick and not given.scripts:
        write(found)
    sys.exit(int(missed > 0))


def run(name: str, quick: bool) -> list[dict[str, Any]]:
    """The rows of a script, whose output is passed through."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.json"
        command = [sys.executable, f"benchmarks/{name}.py", "--json", str(out)]
        command += ["--quick"] if quick else []
        try:
            limit = QUICK_LIMIT if quick else LIMIT
            code = subprocess.run(command, cwd=ROOT, timeout=limit).returncode
            trouble = "" if code in (0, 1) and out.exists() else f"ended with {code}"
        except subprocess.TimeoutExpired as late:
            trouble = f"stopped after {late.timeout:.0f} s"
        text = out.read_text() if out.exists() else ""
    rows = [json.loads(one) for one in text.splitlines()]
    if trouble:
        failed = Row(f"{name}.py {trouble}", 1, "", target=0)
        print(line(failed), flush=True)
        rows.append(failed.record)
    return rows


def write(found: dict[str, list[dict[str, Any]]]) -> None:
    """Write the figures of a full run as JSON and Markdown."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "processor": processor(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python benchmarks/run.py",
    }
    text = json.dumps({"machine": machine, "rows": found}, indent=1, ensure_ascii=False)
    (RESULTS / "cpu.json").write_text(text + "\n")
    lines = [
        f"# {machine['date']}: {machine['cores']} cores of {machine['processor']}",
        "",
        f"`{machine['command']}`, Python {machine['python']}, torch {machine['torch']}",
    ]
    for name, rows in found.items():
        lines += ["", f"## `python benchmarks/{name}.py`", ""]
        lines += ["| " + " | ".join(HEAD) + " |", "|---|--:|--:|---|---|"]
        for record in rows:
            record.pop("verdict")
            lines.append("| " + " | ".join(Row(**record).cells) + " |")
    (RESULTS / "cpu.md").write_text("\n".join(lines) + "\n")


def processor() -> str:
    """The name of the processor, if the system has it."""
    path = Path("/proc/cpuinfo")
    for info in path.read_text().splitlines() if path.exists() else []:
        if info.startswith("model name"):
            return info.split(":")[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
