"""Mutated specs through `check`, `check --symbolic` and `compare`, in this process.

`python -m tests.fuzz.specs --seed 0 --count 200000`; `--seed N --count 1` repeats one
and prints it. A finding is any exception but the spec's own, more than 2 s of processor
time, or 500 MB of memory above the start.
"""

import argparse
import io
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from types import FrameType

from s2mlp_dsl.analysis.compare import compare_model
from s2mlp_dsl.analysis.work import TooLarge, Work
from s2mlp_dsl.cli.symbolic import print_symbolic
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec
from tests.fuzz.mutator import Mutator
from tests.fuzz.targets import check

SECONDS = 2.0
GIVEN_UP = 30  # seconds after which an input is stopped
MEGABYTES = 500


def spec_of(seed: int) -> str:
    return Mutator(seed).text() + "\n"


def run(seed: int, text: str) -> Iterator[str]:
    """`check`, for some seeds the formulas of a model or the comparison as well.

    Yields a word after each.
    """
    spec = check(text)
    yield "check"
    if spec:
        if seed % 4 == 0:
            _formulas(seed, spec)
            yield "check --symbolic"
        if seed % 4 == 1:
            _comparison(spec)
            yield "compare"


def _formulas(seed: int, spec: Spec) -> None:
    if models := list(spec.models):
        with suppress(SpecError, ChoiceError), redirect_stdout(io.StringIO()):
            print_symbolic(spec, models[seed // 4 % len(models)], {}, "text")


def _comparison(spec: Spec) -> None:
    work = Work()
    with suppress(SpecError, ChoiceError, TooLarge):
        for declared in spec.bound_models({}):
            compare_model(spec.expand(declared, {}), work)


class Stopped(Exception):
    """An input that took too long to wait for."""


@contextmanager
def alarm() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(f"stopped after {GIVEN_UP} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(GIVEN_UP)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True, slots=True)
class Result:
    """The slowest command, its seconds, and what is wrong, None if nothing."""

    command: str
    seconds: float
    wrong: str | None = None


def result(seed: int, text: str) -> Result:
    """What becomes of an input. A slow one has a second try, with warm caches."""
    first = _measured(seed, text)
    if first.wrong is None and first.seconds > SECONDS:
        again = _measured(seed, text)
        if again.seconds > SECONDS:
            return replace(again, wrong=f"{again.command}: {again.seconds:.1f} s")
        return again
    return first


def _measured(seed: int, text: str) -> Result:
    memory, start = _peak(), time.process_time()
    slowest = Result("check", 0.0)
    try:
        with alarm():
            for command in run(seed, text):
                end = time.process_time()
                slowest = max(slowest, Result(command, end - start), key=_seconds)
                start = end
    except Exception:
        return replace(slowest, wrong=traceback.format_exc(limit=-4))
    if (grown := _peak() - memory) > MEGABYTES:
        return replace(slowest, wrong=f"{slowest.command}: {grown:.0f} MB")
    return slowest


def _seconds(result: Result) -> float:
    return result.seconds


def _peak() -> float:
    """The most memory of the process until now, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=200_000)
    given = parser.parse_args()
    slowest: dict[str, tuple[float, int]] = {}
    start, found = time.monotonic(), 0
    for seed in range(given.seed, given.seed + given.count):
        text = spec_of(seed)
        if given.count == 1:
            print(text)
        one = result(seed, text)
        slowest[one.command] = max(
            slowest.get(one.command, (0.0, 0)), (one.seconds, seed)
        )
        if one.wrong:
            found += 1
            print(f"seed {seed}: {one.wrong}", flush=True)
        if seed % 10_000 == 9_999:
            print(f"… {seed + 1}", flush=True)
    print(
        f"{given.count} specs from seed {given.seed}, {found} findings, "
        f"{time.monotonic() - start:.0f} s, peak {_peak():.0f} MB; the slowest: "
        + ", ".join(f"{name} {t:.2f} s (seed {n})" for name, (t, n) in slowest.items())
    )
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
