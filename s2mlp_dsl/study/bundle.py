"""A study in one small JSON file: the plan and all results, without repetitions.

What rows or runs share (recipes, machines, hashes) is written once and a run takes one
line, so the file can be committed beside the page that is made from it.
"""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from s2mlp_dsl.study.errors import DamagedError
from s2mlp_dsl.study.records import Place, Plan, Result, results_of

FORMAT = 1
_SAME = ("study", "function_hash", "weight_hash", "recipe_hash", "format")
_DIGITS = 7  # significant digits of losses and times


def pack(plan: Plan, results: Iterable[Result]) -> str:
    """The file's text. Results of other rows or seeds than the plan's are left out."""
    found = results_of(plan, results)
    used = [one for row in plan.distinct for one in found[row.key]]
    content = plan.model_dump(mode="json")
    rows = content.pop("rows")
    recipes = {row["recipe_hash"]: row.pop("recipe") for row in rows}
    places: list[Any] = []
    runs = []
    for row in plan.distinct:
        for one in found[row.key]:
            run = one.model_dump(mode="json", exclude=set(_SAME), exclude_none=True)
            run["row"] = row.key
            if "place" in run:
                if run["place"] not in places:
                    places.append(run["place"])
                run["place"] = places.index(run["place"])
            runs.append(_short(run))
    assert len(runs) == len(used)
    parts = {
        "format": [FORMAT],
        "plan": [content],
        "recipes": [recipes],
        "places": [places],
        "rows": rows,
        "runs": runs,
    }
    lists = {"rows", "runs"}
    sections = (_section(key, one, key in lists) for key, one in parts.items())
    return "{\n" + ",\n".join(sections) + "\n}\n"


def unpack(text: str, name: str) -> tuple[Plan, list[Result]]:
    """The plan and results of a packed text; `name` is the file's, for messages.

    Raises `DamagedError`.
    """
    try:
        content = json.loads(text)
        recipes, places = content["recipes"], content["places"]
        rows = [
            row | {"recipe": recipes[row["recipe_hash"]]} for row in content["rows"]
        ]
        plan = Plan.model_validate(content["plan"] | {"rows": rows})
        return plan, [_result(plan, places, run) for run in content["runs"]]
    except (ValidationError, ValueError, LookupError, TypeError) as error:
        raise DamagedError(
            f"{name} is not a study, or is of another version"
        ) from error


def _result(plan: Plan, places: list[Any], run: dict[str, Any]) -> Result:
    row = plan.row(run["row"])
    place = (
        {"place": Place.model_validate(places[run["place"]])} if "place" in run else {}
    )
    return Result.model_validate(
        {
            **run,
            **place,
            "study": plan.name,
            "function_hash": row.function_hash,
            "weight_hash": row.weight_hash,
            "recipe_hash": row.recipe_hash,
        }
    )


def _section(key: str, items: list[Any], many: bool) -> str:
    lines = [json.dumps(one, ensure_ascii=False) for one in items]
    body = "[\n" + ",\n".join(lines) + "\n]" if many else lines[0]
    return f"{json.dumps(key)}: {body}"


def _short(value: Any) -> Any:
    """Round floats. Counts of images remain exact: they have fewer digits."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
