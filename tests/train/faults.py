"""Every call that can change the disk, counted, and made to fail or to be the last.

`python faults.py OUT fail|last N` runs a short training in which the N-th such
call raises "no space left", or is followed by the end of the process; `count`
prints how many there are. `kill` forks runs and kills them at random moments.
"""

import builtins
import errno
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from s2mlp_dsl.train import Interrupted, RunError, disk, recorder, train
from tests.train.making import job, mlp, recipe

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


JOB = job(recipe(epochs=2, ema=0.99))


def one(out: Path, faults: Faults | None = None) -> int:
    """A run from where it stands to its end. Returns its exit code."""
    if faults is not None:
        faults.install()
    try:
        train(mlp(), JOB, out, resume=True, quiet=True)
    except (RunError, Interrupted) as error:
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


def counted(out: Path) -> int:
    faults = Faults("count", 0)
    one(out, faults)
    return faults.seen


def main() -> None:
    torch.set_num_threads(1)
    recorder.draw_curves = lambda run, metrics: None
    folder = Path(sys.argv[1])
    if sys.argv[2] == "kill":
        kill_often(folder, int(sys.argv[3]))
        return
    count = folder / "count"

    def note() -> int:
        count.write_text(str(counted(folder / "whole")))
        return 0

    assert forked(note) == 0
    for at in range(1, int(count.read_text()) + 1):
        for mode, expected in (("fail", (4,)), ("last", (9,))):
            out = folder / f"{mode}{at}"
            code = forked(lambda o=out, m=mode, a=at: one(o, Faults(m, a)))
            builtins.print(out.name, code, flush=True)
            assert code in expected, (out, code)
            assert forked(lambda o=out: one(o)) == 0, out


def kill_often(folder: Path, runs: int) -> None:
    """Runs killed at random moments until each has had its share, then finished."""
    rng = random.Random(0)
    start = time.monotonic()
    assert forked(lambda: one(folder / "whole")) == 0
    whole = time.monotonic() - start
    kills = 0
    for number in range(runs):
        out = folder / f"killed{number}"
        for _ in range(rng.randint(1, 3)):
            kills += forked(lambda o=out: one(o), rng.uniform(0, whole)) == -9
        assert forked(lambda o=out: one(o)) == 0, out
    builtins.print(f"{runs} runs, {kills} kills", flush=True)


if __name__ == "__main__":
    main()
