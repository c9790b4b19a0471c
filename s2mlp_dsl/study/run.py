"""The runs of a study: which are left, and doing them side by side.

Every run is a process of its own, so that one that crashes or runs out of memory
leaves the others alone. This process starts them, waits, and imports no torch.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.recipe.study import Study
from s2mlp_dsl.study import work
from s2mlp_dsl.study.errors import Stopped
from s2mlp_dsl.study.records import Failure, Plan, Result
from s2mlp_dsl.study.store import read_result, write
from s2mlp_dsl.study.work import Task

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

# What a run's process imports in its first seconds; what is missing is passed over.
_PRELOADED = [
    *("s2mlp_dsl.study.work", "s2mlp_dsl.train", "s2mlp_dsl.bench.work"),
    *("sklearn.datasets", "sklearn.model_selection", "matplotlib.figure"),
    "matplotlib.backends.backend_agg",
]
# Exit codes of a run that is neither done nor wrong: another process does it, or
# somebody stopped it alone.
_LEFT = (work.BUSY, -signal.SIGTERM, 128 + signal.SIGTERM)
_LOOK = 0.2  # seconds between two looks at whether somebody wants to stop


@dataclass(frozen=True)
class Shard:
    """Every `count`-th run, beginning with the `number`-th; numbers are from 1."""

    number: int = 1
    count: int = 1

    def takes(self, place: int) -> bool:
        return place % self.count == self.number - 1


def tasks_of(
    study: Study,
    plan: Plan,
    out: Path,
    *,
    data: Path | None = None,
    device: str | None = None,
) -> list[Task]:
    """All runs of a study, in the order in which they are done.

    First every row with the first seed, so that a table is soon whole. Each seed
    begins one row later, so that a shard does not get the same rows every time.
    """
    rows = list(zip(study.distinct, plan.distinct, strict=True))
    texts = {row.key: print_model(row.model, SIGNATURES) for row, _ in rows}
    tasks = []
    for place, seed in enumerate(plan.seeds):
        turn = place % len(rows)
        for row, planned in rows[turn:] + rows[:turn]:
            result = Result(
                study=plan.name,
                row=row.key,
                seed=seed,
                function_hash=planned.function_hash,
                weight_hash=planned.weight_hash,
                recipe_hash=planned.recipe_hash,
            )
            tasks.append(
                Task(
                    result=result,
                    spec=study.spec,
                    model_text=texts[row.key],
                    recipe=row.recipe.model_copy(update={"seed": seed}),
                    recipe_name=row.recipe_name,
                    out=out,
                    data=data,
                    device=device,
                    threads=threads(),
                    limits=asdict(limits()),
                )
            )
    return tasks


def threads() -> int:
    """Of the CPU, for each run: what OMP_NUM_THREADS says, else one.

    Sums come out in another order with another number of threads, so it depends
    on nothing else: results are the same however many runs go side by side.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else 1


def left(tasks: Sequence[Task], results: Sequence[Result]) -> list[Task]:
    """The runs that have no outcome yet. What failed is tried again."""
    done = {(one.identity, one.seed) for one in results if one.outcome is not None}
    return [task for task in tasks if (task.result.identity, task.seed) not in done]


def do(
    tasks: Sequence[Task],
    jobs: int,
    ended: Callable[[Task, Result | None], None],
) -> None:
    """Do all runs, at most `jobs` at one time; `ended` hears of each.

    It hears None of a run that another process is at work on, or that somebody
    stopped. Raises `Stopped`
    when SIGTERM or Ctrl-C arrived and every run has saved where it stands.
    """
    waiting, running = list(tasks), list[tuple[Task, BaseProcess]]()
    context, told = context_of(), False
    with _listening() as stop:
        try:
            while running or (waiting and not stop):
                while waiting and len(running) < jobs and not stop:
                    task = waiting.pop(0)
                    slots = {other.slot for other, _ in running}
                    slot = min(set(range(jobs)) - slots)
                    running.append(_start(context, task, slot))
                connection.wait([process.sentinel for _, process in running], _LOOK)
                if stop and not told:
                    told = True
                    for _, process in running:
                        process.terminate()
                alive = {process.pid for _, process in running if process.is_alive()}
                over = [one for one in running if one[1].pid not in alive]
                running = [one for one in running if one[1].pid in alive]
                for task, process in over:
                    process.join()
                    if not stop or process.exitcode == 0:
                        ended(task, _result(task, process.exitcode))
        finally:
            for _, process in running:
                process.kill()
        if stop:
            raise Stopped(stop[0])


def _start(
    context: "ForkServerContext | SpawnContext", task: Task, slot: int
) -> tuple[Task, BaseProcess]:
    placed = task.model_copy(update={"slot": slot})
    process = context.Process(target=work.work, args=(placed,))
    process.start()
    return placed, process


def context_of() -> "ForkServerContext | SpawnContext":
    """How processes begin. A server that has torch loaded saves seconds each."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _result(task: Task, code: int | None) -> Result | None:
    """What a run that has ended came to; None if it was left as it is."""
    if code in _LEFT:
        return None
    if task.result_file.exists():
        found = read_result(task.result_file)
        if code == (found.failure.exit_code if found.failure is not None else 0):
            return found
    assert code is not None
    if code < 0:
        message = f"its process was ended by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            message += ", as happens where memory runs out"
    else:
        message = f"its process ended with {code}; see {work.LOGS}/{task.log.name}"
    failure = Failure(message=message, exit_code=4)
    result = task.result.model_copy(update={"failure": failure})
    write(task.result_file, result)
    return result


@contextmanager
def _listening() -> Iterator[list[int]]:
    """The signals that asked to stop, so far; a second Ctrl-C means at once."""
    heard: list[int] = []

    def receive(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in heard:
            raise KeyboardInterrupt
        heard.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, receive) for number in numbers}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
