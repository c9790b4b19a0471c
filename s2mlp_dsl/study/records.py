"""The content of a study's folder: one plan, and one result per run.

    OUT/study.json              the plan
    OUT/runs/ROW-SEED/          the run folder, as `train` makes it
    OUT/results/ROW-SEED.json   its result

Tables, plots and pages are made from the plan and the results alone.
"""

from collections.abc import Iterable
from typing import Any, Literal

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe.study import Printed

PLAN, RUNS, RESULTS = "study.json", "runs", "results"


Identity = tuple[str, str]  # the hashes of the function and of the recipe


class PlanRow(Record):
    """One line of the table, with what is known before anything is trained.

    `runs` is the key under which its results are kept: its own, or that of an
    earlier row that is the same model and recipe. `grid` is the first map after
    `patch`; `receptive_field` is how many of its positions the worst and the best
    position sees after all `iterations`, `full_receptive_field` the iteration after
    which every position sees every position, or None. All three are None where
    the map is too large to relate. `recipe` are the settings, all but the seed.
    """

    key: str
    runs: str
    label: str
    case: str | None
    axes: tuple[tuple[str, str], ...]
    model_name: str
    arguments: tuple[tuple[str, str], ...]
    params: int
    macs: int
    grid: tuple[int, ...] | None
    receptive_field: tuple[int, int] | None
    iterations: int | None
    full_receptive_field: int | None
    printed: Printed
    function_hash: str
    weight_hash: str
    recipe_hash: str
    recipe_name: str
    recipe: dict[str, Any]

    @property
    def identity(self) -> Identity:
        """Runs of equal identity and seed are the same run."""
        return self.function_hash, self.recipe_hash


class Plan(Record):
    """The content of study.json. `versions` are those of the packages that made it."""

    format: Literal[1] = 1
    name: str
    doc: str | None
    spec: str
    rows: tuple[PlanRow, ...]
    seeds: tuple[int, ...]
    versions: dict[str, str]

    @property
    def distinct(self) -> tuple[PlanRow, ...]:
        """The rows that have runs of their own."""
        return tuple(row for row in self.rows if row.runs == row.key)

    def row(self, key: str) -> PlanRow:
        """The row of that key. Raises KeyError."""
        return {row.key: row for row in self.rows}[key]


class Accuracy(Record):
    """The accuracy on a set of images, in evaluation mode, without augmentation.

    `top1` and `top5` are fractions of `images`; `loss` is the mean cross entropy
    in nats, without label smoothing. `top5` counts all where there are at most
    five classes.
    """

    top1: float
    top5: float
    loss: float
    images: int


class Place(Record):
    """Where a run was computed. `machine` is a type of machine, not a host name."""

    device: str
    machine: str
    threads: int
    precision: str
    versions: dict[str, str]


class Timing(Record):
    """Measured times and memory, the only fields that differ when a run is repeated.

    `seconds` counts all sessions of the run, tests and saves included;
    `images_per_second` its training steps alone.
    """

    seconds: float
    images_per_second: float
    peak_memory_bytes: int


class Outcome(Record):
    """The figures of a finished run. `train` is for the images it was trained on."""

    test: Accuracy
    train: Accuracy
    best_accuracy: float
    best_epoch: int
    epochs: int
    steps: int


class Failure(Record):
    """Why a run has no outcome. `exit_code` is that of a command with this error."""

    message: str
    exit_code: int


class Result(Record):
    """One run of a row, the content of results/ROW-SEED.json.

    It belongs to every row of the same function and recipe, whatever that row is
    called. Exactly one of `outcome` and `failure` is given. On one CPU everything
    but `timing` is the same, bit for bit, when the run is repeated.
    """

    format: Literal[1] = 1
    study: str
    row: str
    seed: int
    function_hash: str
    weight_hash: str
    recipe_hash: str
    outcome: Outcome | None = None
    failure: Failure | None = None
    place: Place | None = None
    timing: Timing | None = None

    @property
    def name(self) -> str:
        """`ROW-SEED`, of its file and of its run folder."""
        return run_name(self.row, self.seed)

    @property
    def identity(self) -> Identity:
        return self.function_hash, self.recipe_hash


def run_name(row: str, seed: int) -> str:
    """The name of a run's folder and of its result."""
    return f"{row}-{seed}"


def results_of(plan: Plan, results: Iterable[Result]) -> dict[str, tuple[Result, ...]]:
    """The results of each row of the plan, by its key, in the order of the seeds.

    Rows that share runs have the same results. Results of other rows and seeds are
    left out.
    """
    found: dict[tuple[Identity, int], Result] = {}
    for one in results:
        earlier = found.get((one.identity, one.seed))
        # A run that failed under one name may have an outcome under another.
        if earlier is None or earlier.outcome is None:
            found[one.identity, one.seed] = one
    return {
        row.key: tuple(
            found[row.identity, seed]
            for seed in plan.seeds
            if (row.identity, seed) in found
        )
        for row in plan.rows
    }
