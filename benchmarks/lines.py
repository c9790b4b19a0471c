"""How the time of `parse` and `check` grows with the length of a spec.

    python benchmarks/lines.py

Specs of 1,000 to 20,000 lines, made of blocks, models and claims as people write
them. The fastest of the rounds counts. Prints the exponent e of time = c · linesᵉ,
fitted over all lengths, beside its target.
"""

import time
from collections.abc import Callable
from math import log

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.source import Source
from s2mlp_dsl.syntax import parse

LINES = (1_000, 2_000, 5_000, 10_000, 20_000)
ROUNDS = 3
TARGET = 1.1
PIECE = '''"""The block of model {n}."""
block mix{n}(ratio = 4, kind: word = layer) {{
    residual {{
        linear(ratio * dim)  # wider
        gelu
        linear(dim)
        norm(kind)
    }}
}}

model m{n}(width = 32) {{
    image(3, 8, 8)
    stem: patch(4, width)
    stack 2 {{
        mix{n}(2)
    }}
    pool(mean)
    head: linear(10)
}}

claim m{n} {{
    params(of = head) == 330
}}

'''


def spec(lines: int) -> str:
    """A right spec of so many lines."""
    parts, count = ["edition 1\n\n"], 2
    while count < lines:
        parts.append(PIECE.format(n=len(parts)))
        count += parts[-1].count("\n")
    return "\n".join("".join(parts).split("\n")[:count])


def read(text: str) -> None:
    report = Report()
    parse(Source("spec.arch", text), report)
    assert not report.diagnostics


def check(text: str) -> None:
    loaded = load(text)
    analyses = check_spec(loaded)
    assert not loaded.report.diagnostics
    assert all(one.holds for one in analyses)


def exponent(seconds: dict[int, float]) -> float:
    """The slope of log time over log lines, by least squares."""
    points = [(log(lines), log(time)) for lines, time in seconds.items()]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return rise / sum((x - mean_x) ** 2 for x, _ in points)


def measure(work: Callable[[str], None], text: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work(text)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    texts = {lines: spec(lines) for lines in LINES}
    check(texts[LINES[0]])  # imports and caches
    for name, work in (("parse", read), ("check", check)):
        seconds = {lines: measure(work, text) for lines, text in texts.items()}
        for lines, taken in seconds.items():
            print(f"{name}  {lines:>6,} lines  {taken:7.3f} s")
        found = exponent(seconds)
        verdict = "met" if found <= TARGET else "MISSED"
        print(f"{name}: exponent {found:.3f}, target {TARGET} {verdict}")


if __name__ == "__main__":
    main()
