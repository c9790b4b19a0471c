"""How long the runs of a study will take, from finished runs or a measurement."""

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from statistics import mean

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.study.records import Plan, Result, results_of
from s2mlp_dsl.study.run import context_of
from s2mlp_dsl.study.work import Task, begun, device_of, follow_parent

_BUDGET = 20.0  # seconds for all rows; further rows are not measured


class Estimate(Record):
    """Seconds of a run of each row, by its key.

    For `measured` rows they come from some training steps on this machine, for others
    they are the mean of finished runs. Rows without an entry could not be measured;
    `reason` says why for the first of them.
    """

    seconds: dict[str, float]
    measured: frozenset[str]
    reason: str | None


def estimate(plan: Plan, tasks: Sequence[Task], results: Sequence[Result]) -> Estimate:
    """The seconds that a run takes, for each row of `tasks`."""
    found = results_of(plan, results)
    done = {
        key: mean(r.timing.seconds for r in ours if r.timing is not None)
        for key, ours in found.items()
        if any(r.timing is not None for r in ours)
    }
    unknown = {task.result.row: task for task in tasks if task.result.row not in done}
    measured, reason = _measured(list(unknown.values())) if unknown else ({}, None)
    return Estimate(
        seconds=done | measured, measured=frozenset(measured), reason=reason
    )


def _measured(tasks: list[Task]) -> tuple[dict[str, float], str | None]:
    """Measure the rows one after the other, in a separate process."""
    context = context_of()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(tasks, sender))
    process.start()
    sender.close()
    found: dict[str, float] = {}
    reason = None
    try:
        while True:
            row, seconds = receiver.recv()
            if isinstance(seconds, float):
                found[row] = seconds
            else:
                reason = reason or f"{row}: {seconds}"
    except EOFError:
        process.join()
    finally:
        process.kill()
    if len(found) < len(tasks) and reason is None:
        reason = f"{len(tasks) - len(found)} rows were not measured"
    return found, reason


def measure(tasks: list[Task], sender: Connection) -> None:
    """Send each row's key with its seconds, or with the reason for not having any."""
    import torch

    from s2mlp_dsl.train import RunError, speed

    follow_parent()
    until = time.monotonic() + _BUDGET
    for task in tasks:
        if time.monotonic() > until:
            return
        torch.set_num_threads(task.threads)
        seconds: float | str
        try:
            module, job = begun(task)
            found = speed(module, job, data_root=task.data, device=device_of(task))
            seconds = found.total
        except RunError as error:
            seconds = str(error)
        sender.send((task.result.row, seconds))
