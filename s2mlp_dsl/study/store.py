"""Reading a study's folder, and writing to it atomically."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from s2mlp_dsl.files import replace_file
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.study.errors import DamagedError, OtherStudyError
from s2mlp_dsl.study.records import (
    PLAN,
    RESULTS,
    Plan,
    PlanRow,
    Result,
)

_SHOWN = 10  # differences; further ones are only counted


def require_same_study(out: Path, plan: Plan) -> None:
    """Check that the folder is empty or contains this study.

    Rows and seeds may have been added or removed. Raises `OtherStudyError`, naming the
    differences, if the model or recipe of a row has changed.
    """
    old = read_plan(out) if (out / PLAN).is_file() else plan
    if differences := list(_differences(old, plan)):
        more = len(differences) - _SHOWN
        listed = differences[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise OtherStudyError(
            f"{out} contains another study; choose another folder. It differs in\n  "
            + "\n  ".join(listed)
        )


def _differences(old: Plan, new: Plan) -> Iterator[str]:
    if old.name != new.name:
        yield f"its name: {old.name} → {new.name}"
    before = {row.key: row for row in old.rows}
    for row in new.rows:
        if row.key in before:
            yield from _changes(before[row.key], row)


def _changes(old: PlanRow, new: PlanRow) -> Iterator[str]:
    """The changes of a row that make its earlier runs useless."""
    if old.function_hash != new.function_hash:
        yield (
            f"{new.key}: the model, function {old.function_hash[:12]} → "
            f"{new.function_hash[:12]}, {old.params:,} → {new.params:,} parameters"
        )
    if old.recipe_hash != new.recipe_hash:
        for setting in sorted({**old.recipe, **new.recipe}):
            before, after = old.recipe.get(setting), new.recipe.get(setting)
            if before != after:
                yield f"{new.key}: {setting}, {before} → {after}"


def read_plan(out: Path) -> Plan:
    """The plan in a study's folder. Raises OSError, and DamagedError."""
    try:
        return Plan.model_validate_json((out / PLAN).read_bytes())
    except ValidationError as error:
        raise DamagedError(f"{out / PLAN} is damaged, or of another version") from error


def read_results(out: Path) -> list[Result]:
    """All results in a study's folder, by name. Raises OSError, and DamagedError."""
    return [read_result(file) for file in sorted((out / RESULTS).glob("*.json"))]


def read_result(file: Path) -> Result:
    """One result. Raises OSError, and `DamagedError` if it is not valid."""
    try:
        return Result.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise DamagedError(
            f"{file} is damaged; delete it to have its run done again"
        ) from error


def write(path: Path, record: Record) -> None:
    """Write a record as JSON, atomically: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, f"{record.model_dump_json(indent=2)}\n".encode())
