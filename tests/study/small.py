"""A study of two rows and two seeds that takes seconds, and how results compare."""

from pathlib import Path
from typing import Any

from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.recipe.study import Study
from s2mlp_dsl.study.plan import plan_of
from s2mlp_dsl.study.records import PLAN, Plan
from s2mlp_dsl.study.run import Shard, do, left, tasks_of
from s2mlp_dsl.study.store import read_results, require_same_study, write
from s2mlp_dsl.study.work import Task

SPEC = """edition 1

model small(width = 8, size = 8) {
    image(1, size, size)
    patch(2, width)
    residual {
        linear(dim)
        gelu
        linear(dim)
        norm(layer)
    }
    pool(mean)
    linear(10)
}

recipe quick {
    data = digits
    epochs = 1
    batch = 128
    augment = [translate(1)]
}

\"\"\"How wide.\"\"\"
study widths of small {
    recipe = quick
    vary width = [4, 8]
    seeds = 2
}
"""


def study_of(text: str = SPEC, name: str | None = None, **settings: str) -> Study:
    """A study of a text, which must be right."""
    spec = load(text)
    return spec.study(spec.choose_study(name), settings)


def planned(out: Path, study: Study | None = None) -> tuple[Plan, list[Task]]:
    """A study's folder as the command begins it, and all its runs."""
    study = study or study_of()
    plan = plan_of(study)
    require_same_study(out, plan)
    write(out / PLAN, plan)
    return plan, tasks_of(study, plan, out)


def go_on(out: Path, jobs: int = 1, shard: Shard | None = None, most: int = 4) -> None:
    """Do what is left of the small study, or of its first runs."""
    _, tasks = planned(out)
    ours = [one for i, one in enumerate(tasks[:most]) if (shard or Shard()).takes(i)]
    do(left(ours, read_results(out)), jobs, lambda task, result: None)


def compared(out: Path, most: int = 4) -> list[dict[str, Any]]:
    """All results but what a clock measured, in the order of the runs."""
    results = {one.name: one for one in read_results(out)}
    names = [task.result.name for task in planned(out)[1][:most]]
    return [results[name].model_dump(exclude={"timing"}) for name in names]
