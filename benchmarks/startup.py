"""How long the command line takes to start, relative to `import torch`.

    python benchmarks/startup.py [--quick]

The commands alternate, each in its own process, with bytecode as after an installation
by pip: the first round writes it and does not count. A ratio is the median of the
rounds. The profile shows the cost of a command's imports by package (`-X importtime`);
the rest is its work.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from rows import ROOT, Row, interleaved, main, ratio

WHOLE = "import torch"
SPEC = "specs/s2mlp_deep.arch"
COMMANDS = {
    "--help": (["--help"], 0.06),
    f"check {SPEC}": (["check", SPEC], 0.2),
    f"fmt --check {SPEC}": (["fmt", "--check", SPEC], None),
    f"diagram {SPEC}": (["diagram", SPEC], None),
}
PROFILED = ("--help", f"check {SPEC}")
LARGEST = 8  # packages in a profile


def rows(given: argparse.Namespace) -> Iterator[Row]:
    rounds = 3 if given.quick else 9
    arguments = {
        name: ["-m", "s2mlp_dsl", *given] for name, (given, _) in COMMANDS.items()
    }
    arguments |= {WHOLE: ["-c", "import torch"], "python": ["-c", "pass"]}
    works = {name: lambda one=one: python(one) for name, one in arguments.items()}
    taken = interleaved(works, rounds)
    whole = min(taken[WHOLE]) * 1e3
    for name, (_, target) in COMMANDS.items():
        detail = (
            f"{min(taken[name]) * 1e3:.0f} ms of {whole:.0f} ms, fastest of {rounds}"
        )
        found = ratio(taken[name], taken[WHOLE])
        yield Row(f"{name} / import torch", found, "×", target, detail=detail)
    yield Row("python -c pass", min(taken["python"]) * 1e3, "ms", detail="the floor")
    for name in PROFILED:
        costs, count = imports(arguments[name])
        total = sum(costs.values())
        yield Row(f"profile of {name}", total, "ms", detail=f"{count} modules imported")
        for package, cost in costs.most_common(LARGEST):
            yield Row(f"    {package}", cost, "ms", detail=f"{cost / total:.0%} of it")


def python(arguments: list[str]) -> str:
    """Run the interpreter and return its standard error."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stderr


def imports(arguments: list[str]) -> tuple[Counter[str], int]:
    """Milliseconds that the modules of each package took, and the number of modules."""
    costs: Counter[str] = Counter()
    lines = python(["-X", "importtime", *arguments]).splitlines()
    found = [line.split("|") for line in lines if line.startswith("import time:")][1:]
    for own, _, module in found:
        top, *inner = module.strip().split(".")
        package = f"{top}.{inner[0]}" if top == "s2mlp_dsl" and inner else top
        costs[package] += int(own.removeprefix("import time:")) / 1e3
    return costs, len(found)


if __name__ == "__main__":
    main(rows, __doc__)
