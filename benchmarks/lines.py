"""How the cost of `parse` and `check` grows with lines and the length of a stack.

    python benchmarks/lines.py [--quick]

Specs of 1 to 50,000 lines with typical blocks, models and claims, and stacks of up to
100,000 statements with equal or different iterations. Times are the minimum of the
rounds, memory is the peak of Python's allocator, and the exponent e of c · nᵉ is fitted
over all sizes from 1,000 on. Equal iterations are not expanded, so a long stack must
cost as much as a short one, with parsing, shapes, figures, receptive field, hashes and
claims.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable, Iterator
from math import log

from rows import Row, interleaved, main, ratio

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.bounds import raised
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.frontend import parse
from s2mlp_dsl.source import Source

LINES = (1, 100, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
DIFFERENT = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 99_000)
EQUAL = (10, 40_000)  # two statements each, and the bound is 100,000
ROUNDS = 5
EXPONENT, LONGER = 1.1, 1.2
PIECE = '''"""The block of model {n}."""
block mix{n}(ratio = 4, kind: enum = layer) {{
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
STACK = """edition 1

import cross from "std:s2mlp"

model m {{
    image(3, 16, 16)
    patch(2, 8)
    stack {count} as i {{
        {body}
    }}
    pool(mean)
    linear(10)
}}

claim m {{
    params(of = op(patch)) == 104
}}
"""
REPEATED = "residual {\n shift(cross)\n linear(dim)\n }"
CHANGING = "linear(8 + mod(i, 2))"


def spec(lines: int) -> str:
    """A right spec of so many lines; comments fill what no piece does."""
    size = PIECE.count("\n")
    pieces = [PIECE.format(n=n) for n in range((lines - 1) // size)]
    rest = lines - 1 - len(pieces) * size
    return "".join(["edition 1\n", *pieces, *["# as many words\n"] * rest])


def read(text: str) -> None:
    report = Report()
    parse(Source("spec.arch", text), report)
    assert not report.diagnostics


def check(text: str) -> None:
    checked = check_spec(load(text))
    assert not checked.report.diagnostics
    assert all(one.holds for one in checked.analyses)


def exponent(found: dict[int, float]) -> float:
    """The slope of log time over log size, by least squares, from 1,000 on."""
    points = [(log(n), log(value)) for n, value in found.items() if n >= 1_000]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return rise / sum((x - mean_x) ** 2 for x, _ in points)


def seconds(
    work: Callable[[str], None], texts: dict[int, str], rounds: int
) -> dict[int, float]:
    """The fastest of each size, the sizes taking turns: a slow minute hits them all."""
    best = dict.fromkeys(texts, float("inf"))
    for _ in range(rounds):
        for n, text in texts.items():
            start = time.process_time()
            work(text)
            best[n] = min(best[n], time.process_time() - start)
    return best


def mebibytes(work: Callable[[str], None], text: str) -> float:
    """The most that Python held at once, beyond what it held before."""
    tracemalloc.start()
    work(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def rows(given: argparse.Namespace) -> Iterator[Row]:
    rounds = 3 if given.quick else ROUNDS
    texts = {n: spec(n) for n in (LINES[:-2] if given.quick else LINES)}
    check(texts[100])  # imports and caches
    # Beyond the bounds that a spec has by default: here they are what is asked about.
    with raised(bytes=2**26, steps=10**8):
        for name, work in (("parse", read), ("check", check)):
            yield from growth(name, "lines", work, texts, rounds)
    # A file is read into as many bytes as it may have, which would be all that is seen.
    with raised(steps=10**8, distinct=10**6):
        counts = DIFFERENT[:-3] if given.quick else DIFFERENT
        texts = {n: STACK.format(count=n, body=CHANGING) for n in counts}
        yield from growth("check", "different iterations", check, texts, rounds)
    works = {
        f"{count}": lambda count=count: check(STACK.format(count=count, body=REPEATED))
        for count in EQUAL
    }
    taken = interleaved(works, 15 if given.quick else 61)
    short, long = (min(taken[f"{count}"]) * 1e3 for count in EQUAL)
    detail = f"{long:.1f} ms against {short:.1f} ms"
    found = ratio(*(taken[f"{count}"] for count in reversed(EQUAL)))
    name = f"check of stack {EQUAL[1]:,} / stack {EQUAL[0]}"
    yield Row(name, found, "×", LONGER, detail=detail)


def growth(
    name: str,
    what: str,
    work: Callable[[str], None],
    texts: dict[int, str],
    rounds: int,
) -> Iterator[Row]:
    """Time and memory at each size, and how they grow."""
    taken = seconds(work, texts, rounds)
    held = {n: mebibytes(work, text) for n, text in texts.items()}
    for n in texts:
        detail = f"{held[n]:,.1f} MiB at most"
        yield Row(f"{name} of {n:,} {what}", taken[n] * 1e3, "ms", detail=detail)
    for kind, found in (("time", taken), ("memory", held)):
        title = f"{name}: exponent of {kind} in {what}"
        yield Row(title, exponent(found), "", EXPONENT)


if __name__ == "__main__":
    main(rows, __doc__)
