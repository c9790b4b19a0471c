"""`s2mlp-dsl study SPEC`."""

import sys
import time
from pathlib import Path

import click

from s2mlp_dsl.cli.options import (
    PATH,
    data_option,
    device_option,
    set_option,
    spec_argument,
)
from s2mlp_dsl.cli.output import say
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.escape import plain_lines
from s2mlp_dsl.study import table
from s2mlp_dsl.study.estimate import estimate
from s2mlp_dsl.study.outputs import read_summary, write_outputs
from s2mlp_dsl.study.page import duration
from s2mlp_dsl.study.plan import plan_of
from s2mlp_dsl.study.plan_text import plan_text
from s2mlp_dsl.study.records import Result
from s2mlp_dsl.study.run import Shard, do, left, tasks_of
from s2mlp_dsl.study.store import read_results, require_same_study, take_folder
from s2mlp_dsl.study.work import Task


def _shard(
    context: click.Context, parameter: click.Parameter, given: str | None
) -> Shard:
    if given is None:
        return Shard()
    number, slash, count = given.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise click.BadParameter(f"{given!r} is not I/N, such as 1/4")
    if not 1 <= int(number) <= int(count):
        raise click.BadParameter(f"the shards of {count} are 1 to {count}")
    return Shard(int(number), int(count))


@click.command()
@spec_argument
@click.option("--name", metavar="NAME", help="Study to run.")
@click.option(
    "--out", type=PATH, help="Folder of runs and results.  [default: runs/NAME]"
)
@click.option("--dry-run", is_flag=True, help="Print the plan; write nothing.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of runs at a time.",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Do only every N-th run, starting with the I-th.",
)
@click.option("--seeds", type=click.IntRange(1, 1000), help="Use the seeds 0 to N - 1.")
@set_option(help="Set a recipe setting or a model parameter in all rows.")
@data_option
@device_option
@click.option("-q", "--quiet", is_flag=True, help="Print only the results.")
def command(
    spec: Path,
    name: str | None,
    out: Path | None,
    dry_run: bool,
    jobs: int,
    shard: Shard,
    seeds: int | None,
    settings: dict[str, str],
    data: Path | None,
    device: str | None,
    quiet: bool,
) -> int:
    """Train each row of a study of SPEC with each seed, and compare them.

    Run the same command again to continue a study: finished runs are kept, unfinished
    ones resume, failed ones are tried again.
    """
    loaded = load(spec)
    study = loaded.study(loaded.choose_study(name), settings)
    if seeds is not None:
        study = study.model_copy(update={"seeds": tuple(range(seeds))})
    plan, out = plan_of(study), out or Path("runs") / study.name
    tasks = tasks_of(study, plan, out, data=data, device=device)
    require_same_study(out, plan)
    results = read_results(out)
    ours = [task for place, task in enumerate(tasks) if shard.takes(place)]
    todo = left(ours, results)
    if not quiet or dry_run:
        print(plan_text(plan, estimate(plan, todo, results), todo, jobs))
    if dry_run:
        return 0
    take_folder(out, plan)
    progress = Progress(len(todo), quiet)
    try:
        do(todo, jobs, progress.ended)
    finally:
        # What is done so far is worth a look, however it ended.
        said = write_outputs(out)
    if not quiet:
        print(plain_lines("\n".join(said)), file=sys.stderr)
    print(table.text(read_summary(out)))
    return progress.exit_code


class Progress:
    """Says of each run how it ended, and keeps the worst exit code."""

    def __init__(self, runs: int, quiet: bool) -> None:
        self.runs, self.quiet, self.began = runs, quiet, time.monotonic()
        self.over, self.exit_code = 0, 0

    def ended(self, task: Task, result: Result | None) -> None:
        self.over += 1
        if result is not None and result.failure is not None:
            # A bug of ours is worse news than a world that is wrong.
            bug = result.failure.exit_code == 3
            self.exit_code = 3 if bug or self.exit_code == 3 else 4
            self._say(task, f"failed: {result.failure.message}")
        elif not self.quiet:
            self._say(task, self._well(result))

    def _well(self, result: Result | None) -> str:
        if result is None:
            return "left: it was stopped, or another process is at work on it"
        outcome, timing = result.outcome, result.timing
        assert outcome is not None and timing is not None
        rest = (time.monotonic() - self.began) / self.over * (self.runs - self.over)
        return (
            f"test {outcome.test.top1:.2%}, train {outcome.train.top1:.2%}, "
            f"{duration(timing.seconds)}" + (f"; {duration(rest)} left" if rest else "")
        )

    def _say(self, task: Task, text: str) -> None:
        width = len(str(self.runs))
        place = f"[{self.over:>{width}}/{self.runs}]"
        say(f"{place} {task.result.name}: {text}")
