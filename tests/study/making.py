"""Studies as they are planned, with results made by hand."""

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.study.plan import plan_of
from s2mlp_dsl.study.records import (
    Accuracy,
    Failure,
    Outcome,
    Place,
    Plan,
    PlanRow,
    Result,
    Timing,
)

PLACE = Place(
    device="cpu",
    machine="A processor, Linux",
    threads=1,
    precision="fp32",
    versions={"python": "3.12.1", "torch": "2.15.0"},
)
MODEL = """edition 1

import cross, s2mlp_block from "std:s2mlp"

recipe r {
    data = digits
    epochs = 2
    batch = 64
}

model tiny(width = 8, depth = 2, via = cross) {
    image(1, 8, 8)
    patch(2, width)
    stack depth {
        s2mlp_block(ratio = 2, via = via)
    }
    pool(mean)
    linear(10)
}
"""
WORDS = """
\"\"\"What the shift is worth: 50 % & more.\"\"\"
study words {
    recipe = r
    seeds = 3
    case "four | S²" tiny printed [87.1, 97.1, 71M, 14G]
    case "no_shift" tiny(via = none) printed [56.7]
    case "wide" tiny(width = 16)
    case "the same" tiny(depth = 2)
}
"""
NUMBERS = """
study numbers of tiny {
    recipe = r
    seeds = [4, 7]
    vary depth = [1, 3]
    vary train_fraction = [5%, 100%]
    case "S²-MLP" tiny
    case "none" tiny(via = none)
}
"""
LISTED = """
study listed {
    recipe = r
    case "N = 1" tiny(depth = 1) printed [56.7, 82.0]
    case "N = 4" tiny(depth = 4) printed [79.6, 94.1]
}
"""


def planned(study: str) -> Plan:
    """The plan of the study in a text, with a model `tiny` and a recipe `r`."""
    (found,) = check_spec(load(MODEL + study, "made.arch")).studies
    plan = plan_of(found)
    # A hash changes with the version of an operator and with each new setting.
    names: dict[str, str] = {}

    def plain(digest: str) -> str:
        return names.setdefault(digest, f"{len(names) + 1:x}" * 64)

    rows = (
        row.model_copy(
            update={
                "function_hash": plain(row.function_hash),
                "weight_hash": plain(row.weight_hash),
                "recipe_hash": plain(row.recipe_hash),
            }
        )
        for row in plan.rows
    )
    return plan.model_copy(update={"rows": tuple(rows)})


def result(plan: Plan, row: PlanRow, seed: int, test: float, train: float) -> Result:
    return _bare(plan, row, seed).model_copy(
        update={
            "outcome": Outcome(
                test=Accuracy(top1=test, top5=0.99, loss=0.5, images=360),
                train=Accuracy(top1=train, top5=1.0, loss=0.25, images=1437),
                best_accuracy=test,
                best_epoch=2,
                epochs=2,
                steps=44,
            ),
            "place": PLACE,
            "timing": Timing(
                seconds=3.0, images_per_second=1000.0 + seed, peak_memory_bytes=1
            ),
        }
    )


def failure(plan: Plan, row: PlanRow, seed: int, message: str) -> Result:
    failed = Failure(message=message, exit_code=4)
    return _bare(plan, row, seed).model_copy(update={"failure": failed})


def _bare(plan: Plan, row: PlanRow, seed: int) -> Result:
    return Result(
        study=plan.name,
        row=row.key,
        seed=seed,
        function_hash=row.function_hash,
        weight_hash=row.weight_hash,
        recipe_hash=row.recipe_hash,
    )


def words() -> tuple[Plan, list[Result]]:
    """Four rows: whole, one of three failed, not begun, and one that shares."""
    plan = planned(WORDS)
    four, none, *_ = plan.rows
    return plan, [
        result(plan, four, 0, 0.90, 0.95),
        result(plan, four, 1, 0.92, 0.95),
        result(plan, four, 2, 0.94, 0.95),
        result(plan, none, 0, 0.30, 0.40),
        failure(plan, none, 1, "the loss is not finite at step 3"),
    ]


def numbers() -> tuple[Plan, list[Result]]:
    """Two series over a number, and two more of another key."""
    plan = planned(NUMBERS)
    return plan, [
        result(plan, row, seed, 0.5 + place / 20 + seed / 100, 0.9)
        for place, row in enumerate(plan.distinct)
        for seed in plan.seeds
    ]
