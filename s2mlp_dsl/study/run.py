"""The runs of a study: which are left to do, and doing them in parallel.

Every run is a process of its own, so that one that crashes or runs out of memory
does not affect the others. This process starts them, waits, and does not import torch.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.recipe.study import Study
from s2mlp_dsl.signals import stop_requests
from s2mlp_dsl.study import work
from s2mlp_dsl.study.errors import Stopped, StudyError
from s2mlp_dsl.study.records import Failure, Plan, Result
from s2mlp_dsl.study.store import LOGS, read_result, write
from s2mlp_dsl.study.work import Task

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

    if sys.platform == "win32":
        Context = SpawnContext
    else:
        from multiprocessing.context import ForkServerContext

        Context = ForkServerContext | SpawnContext

# What a run's process imports first; packages that are not installed are skipped.
_PRELOADED = [
    *("s2mlp_dsl.study.work", "s2mlp_dsl.train", "s2mlp_dsl.bench.work"),
    *("sklearn.datasets", "sklearn.model_selection", "matplotlib.figure"),
    "matplotlib.backends.backend_agg",
]
# Exit codes of a run that neither finished nor failed: another process is doing it,
# or it alone was stopped.
_LEFT = (work.BUSY, -signal.SIGTERM, 128 + signal.SIGTERM)
_POLL = 0.2  # seconds between two checks for a request to stop


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

    Every row runs with the first seed first, so that the table fills early. Each seed
    starts one row later, so that a shard does not always get the same rows.
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
    """CPU threads of each run: OMP_NUM_THREADS, else 1.

    The number of threads changes the order of sums. It must not depend on how many
    runs go on in parallel, or results would.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else 1


def left(tasks: Sequence[Task], results: Sequence[Result]) -> list[Task]:
    """The runs without an outcome. Failed ones are tried again."""
    done = {(r.identity, r.seed) for r in results if r.outcome is not None}
    return [task for task in tasks if (task.result.identity, task.seed) not in done]


def do(
    tasks: Sequence[Task],
    jobs: int,
    ended: Callable[[Task, Result | None], None],
) -> None:
    """Do all runs, at most `jobs` at a time, and call `ended` after each.

    Its result is None if another process is doing the run or somebody stopped it.
    Raises `Stopped` after SIGTERM or Ctrl-C, once every run has saved a checkpoint,
    and `StudyError` on Windows: runs are saved on SIGTERM, which would kill them there.
    """
    if tasks and sys.platform == "win32":
        raise StudyError("the runs of a study need Linux or macOS; on Windows use WSL")
    waiting, running = list(tasks), list[tuple[Task, BaseProcess]]()
    context, told = context_of(), False
    with stop_requests() as stop:
        try:
            while running or (waiting and not stop):
                while waiting and len(running) < jobs and not stop:
                    task = waiting.pop(0)
                    slots = {other.slot for other, _ in running}
                    slot = min(set(range(jobs)) - slots)
                    running.append(_start(context, task, slot))
                connection.wait([process.sentinel for _, process in running], _POLL)
                if stop and not told:
                    told = True
                    for _, process in running:
                        process.terminate()
                alive = {process.pid for _, process in running if process.is_alive()}
                over = [run for run in running if run[1].pid not in alive]
                running = [run for run in running if run[1].pid in alive]
                for task, process in over:
                    process.join()
                    if not stop or process.exitcode == 0:
                        ended(task, _result(task, process.exitcode))
        finally:
            for _, process in running:
                process.kill()
        if stop.signal is not None:
            raise Stopped(stop.signal)


def _start(context: "Context", task: Task, slot: int) -> tuple[Task, BaseProcess]:
    placed = task.model_copy(update={"slot": slot})
    process = context.Process(target=work.work, args=(placed,))
    process.start()
    return placed, process


def context_of() -> "Context":
    """How processes start. A fork server with torch loaded saves seconds for each."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _result(task: Task, code: int | None) -> Result | None:
    """The result of a run whose process has ended; None if it was left unfinished."""
    if code in _LEFT:
        return None
    if task.result_file.exists():
        found = read_result(task.result_file)
        if code == (found.failure.exit_code if found.failure is not None else 0):
            return found
    assert code is not None
    if code < 0:
        name = signal.Signals(-code).name
        message = f"its process was ended by {name}"
        if name == "SIGKILL":
            message += ", as happens when memory runs out"
    else:
        message = f"its process ended with {code}; see {LOGS}/{task.log.name}"
    failure = Failure(message=message, exit_code=4)
    result = task.result.model_copy(update={"failure": failure})
    write(task.result_file, result)
    return result
