"""Runs whose disk fails, whose process ends after any call of it, or is killed.

`python faults.py OUT each` trains once for each call that changes the disk: it
raises "no space left", or is the last thing the process does. `python faults.py
OUT kill N` trains N times under `kill -9` at random moments. Either way the run
is then resumed to its end; who compares the results is test_faults.py.
"""

import errno
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from s2mlp_dsl import disk
from s2mlp_dsl.train import RunError, checkpoint, logger, train
from s2mlp_dsl.train.logger import MetricsFile
from tests.recipes import Synthetic
from tests.train.making import mlp, synthetic_job

# By the name under which `disk` reaches them.
CALLS = [(os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "mkdir")]


class Faults:
    """Counts calls; at the `at`-th, does what `mode` says."""

    def __init__(self, mode: str, at: int) -> None:
        self.mode, self.at, self.seen = mode, at, 0

    def install(self) -> None:
        for owner, name in CALLS:
            setattr(owner, name, self._around(getattr(owner, name)))
        written = disk.write

        def write(path: Path, data: bytes) -> None:
            # A write that stops half way leaves half of the file.
            def half() -> None:
                path.write_bytes(data[: len(data) // 2])

            with disk.reported(path, "write"):
                self._meet(half)
            written(path, data)

        disk.write = write
        noted = MetricsFile.write

        def note(metrics: MetricsFile, event: dict[str, Any]) -> None:
            def half() -> None:
                metrics.file.write(json.dumps(event).encode()[:20])
                metrics.file.flush()

            with disk.reported(metrics.path, "write"):
                self._meet(half)
            noted(metrics, event)

        MetricsFile.write = note
        removed = disk.shutil.rmtree
        disk.shutil.rmtree = self._around(removed)

    def _around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def around(*arguments: Any, **options: Any) -> Any:
            if self.mode == "fail":
                self._meet(lambda: None)
                return call(*arguments, **options)
            result = call(*arguments, **options)
            self._meet(lambda: None)
            return result

        return around

    def _meet(self, before: Callable[[], None]) -> None:
        self.seen += 1
        if self.seen != self.at:
            return
        before()
        if self.mode == "last":
            os._exit(9)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# Small, so that the disk is what a run spends its time on: 3 epochs of 12 steps.
JOB = synthetic_job(data=Synthetic(images=96), epochs=3, ema=0.99)


def one(out: Path, faults: Faults | None = None) -> int:
    """A run from where it stands to its end. Returns its exit code."""
    if faults is not None:
        faults.install()
    try:
        train(mlp((3, 16, 16), 4), JOB, out, resume=True, quiet=True)
    except RunError as error:
        return error.exit_code
    return 0


def forked(work: Callable[[], int], seconds: float | None = None) -> int:
    """Do the work in a process of its own, killed after `seconds`."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def each_call(folder: Path) -> None:
    """Two runs for each call of the disk that an undisturbed one makes."""
    count = folder / "count"

    def whole() -> int:
        faults = Faults("count", 0)
        code = one(folder / "whole", faults)
        count.write_text(str(faults.seen))
        return code

    assert forked(whole) == 0
    calls = int(count.read_text())
    for at in range(1, calls + 1):
        for mode, expected in (("fail", 4), ("last", 9)):
            out = folder / f"{mode}{at}"
            code = forked(lambda o=out, m=mode, a=at: one(o, Faults(m, a)))
            assert code == expected, (out, code)
            assert not torn(out), (out, torn(out))
            assert forked(lambda o=out: one(o)) == 0, out
    print(f"{calls} calls of the disk, {2 * calls} runs resumed")


def kill_often(folder: Path, runs: int) -> None:
    """Runs killed one to three times at random moments, then finished."""
    rng = random.Random(0)
    start = time.monotonic()
    assert forked(lambda: one(folder / "whole")) == 0
    whole = time.monotonic() - start
    kills = midway = 0
    for number in range(runs):
        out, wanted = folder / f"killed{number}", rng.randint(1, 3)
        while wanted:
            code = forked(lambda o=out: one(o), rng.uniform(0, whole))
            assert code in (0, -signal.SIGKILL), (out, code)
            if code == 0:  # it was over before its time came
                shutil.rmtree(out)
                continue
            wanted -= 1
            kills += 1
            midway += bool(checkpoint.stored(out))
            assert not torn(out), (out, torn(out))
        assert forked(lambda o=out: one(o)) == 0, out
    print(f"{runs} runs, {kills} kills, {midway} of them after a checkpoint")


def torn(run: Path) -> list[str]:
    """Finished checkpoints that are not whole."""
    return checkpoint.newest(run)[1]


def main() -> None:
    torch.set_num_threads(1)
    logger.draw_curves = lambda run, metrics: None
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    if mode == "kill":
        kill_often(folder, int(sys.argv[3]))
    else:
        each_call(folder)


if __name__ == "__main__":
    main()
