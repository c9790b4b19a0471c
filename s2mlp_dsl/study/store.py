"""Reading a study's folder, and writing to it atomically."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from s2mlp_dsl import disk
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.lock import Lock
from s2mlp_dsl.study.errors import DamagedError, OtherStudyError
from s2mlp_dsl.study.records import (
    PLAN,
    RESULTS,
    RUNS,
    Plan,
    PlanRow,
    Result,
)

LOGS = "logs"
_PATIENCE = 10.0  # seconds in which another process has written its plan
_SHOWN = 10  # differences; further ones are only counted


def take_folder(out: Path, plan: Plan) -> None:
    """Write the plan into a folder that is empty or contains this study.

    Processes of one study may share it, each doing other runs. Raises OtherStudyError,
    and UsageError for links where a study is written.
    """
    disk.make_folder(out)
    lock = Lock.acquire(out / "lock", _PATIENCE)
    if lock is None:
        raise OtherStudyError(f"another process is starting a study in {out}")
    try:
        folders = [out / name for name in (RUNS, RESULTS, LOGS)]
        ours = [path for path in out.iterdir() if _is_ours(path.name)]
        disk.require_no_links(out, *folders, *ours)
        for folder in folders:
            if folder.is_dir():
                disk.require_no_links(out, *folder.iterdir())
        require_same_study(out, plan)
        write(out / PLAN, plan)
    finally:
        lock.release()


def _is_ours(name: str) -> bool:
    """Whether a study writes a file of this name."""
    outputs = ("table.", "plot.", "page.md", "record.json")
    return name == PLAN or name.startswith(outputs)


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
    disk.make_folder(path.parent)
    disk.replace(path, f"{record.model_dump_json(indent=2)}\n".encode())
