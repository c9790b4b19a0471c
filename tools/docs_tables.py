"""Rewrite what the docs show of the code: tables, and the output of commands.

python tools/docs_tables.py           # write
python tools/docs_tables.py --check   # exit 1 if something is stale

A page marks the places:

    <!-- table: operators -->
    …
    <!-- end -->

    <!-- output: check specs/s2mlp_deep.arch -->
    ```text
    …
    ```
"""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from pydantic.fields import FieldInfo

from s2mlp_dsl.cli.app import COMMANDS, app
from s2mlp_dsl.diagnostics import CODES
from s2mlp_dsl.lower.shift_implementations import SHIFTS
from s2mlp_dsl.pictures.views import VIEWS
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.contracts import (
    AUGMENTATIONS,
    DATASETS,
    INITIALISATIONS,
    OPTIMIZERS,
    SCHEDULES,
    Option,
)
from s2mlp_dsl.registry import Registry
from s2mlp_dsl.targets import TARGETS
from s2mlp_dsl.verify.backends import BACKENDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
OUTPUT = re.compile(r"(<!-- output: (.*?) -->\n```text\n).*?(```)", re.DOTALL)

Rows = list[tuple[str, ...]]


def output(command: str) -> str:
    """What a command prints, run in the root of the repository."""
    os.chdir(ROOT)
    words = shlex.split(command)
    done = CliRunner().invoke(app, words, standalone_mode=False, catch_exceptions=False)
    return done.stdout


def operators() -> Rows:
    """How an operator is written, and what it does; from `ops --format json`."""
    rows: Rows = [("operator", "what it does")]
    for operator in json.loads(output("ops --format json")):
        arguments = ", ".join(map(_argument, operator["arguments"]))
        call = f"{operator['name']}({arguments})" if arguments else operator["name"]
        rows.append((f"`{call}`", operator["summary"]))
    return rows


def _argument(argument: dict[str, str | None]) -> str:
    default = argument["default"]
    name = argument["name"]
    if argument["required"]:
        return f"{name}"
    return f"{name} = {default or '…'}"


def diagnostics() -> Rows:
    codes = sorted(CODES.values(), key=lambda code: code.number)
    return [("code", "title"), *((f"`{one.number}`", one.title) for one in codes)]


def commands() -> Rows:
    return [("command", "what it does"), *((f"`{n}`", s) for n, s in COMMANDS.items())]


def targets() -> Rows:
    return [
        ("target", "what it is"),
        *((f"`{n}`", d) for n, d in TARGETS.docs().items()),
    ]


def views() -> Rows:
    return [
        ("view", "what it shows"),
        *((f"`{n}`", d) for n, d in VIEWS.docs().items()),
    ]


def shift_implementations() -> Rows:
    rows: Rows = [("lowering", "what it is", "chosen for", "refuses")]
    for name in SHIFTS:
        shift = SHIFTS[name]
        rows.append((f"`{name}`", shift.doc, shift.chosen_for, shift.refuses))
    return rows


def backends() -> Rows:
    rows: Rows = [("backend", "what is run", "modes")]
    for name in BACKENDS:
        backend = BACKENDS[name]
        modes = "`eval`, `train`" if backend.trains else "`eval`"
        rows.append((f"`{name}`", backend.doc, modes))
    return rows


def settings() -> Rows:
    """The settings of a recipe; from the fields of its record."""
    rows: Rows = [("setting", "default", "what it is")]
    for name, setting in Recipe.model_fields.items():
        rows.append((f"`{name}`", _default(setting), setting.description or ""))
    return rows


def _default(setting: FieldInfo) -> str:
    match setting.default:
        case None | ():
            return "none"
        case Option() as option:
            return f"`{option.kind}`"
        case (Option() as option,):
            return f"`{option.kind}`"
        case True | False as switch:
            return "`on`" if switch else "`off`"
        case value if setting.is_required():
            return "required"
        case value:
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _options(title: str, registry: Registry[Any]) -> Rows:
    """How each option is called, and what it is."""
    rows: Rows = [(title, "what it is")]
    for name in registry.built_in:
        option: type[Option] = registry[name]
        call = f"{name}({', '.join(option.options())})" if option.options() else name
        line = (option.__doc__ or "").splitlines()[0].rstrip(".")
        rows.append((f"`{call}`", line))
    return rows


def datasets() -> Rows:
    return _options("data", DATASETS)


def augmentations() -> Rows:
    return _options("augmentation", AUGMENTATIONS)


def optimizers() -> Rows:
    return _options("optimizer", OPTIMIZERS)


def schedules() -> Rows:
    return _options("schedule", SCHEDULES)


def initialisations() -> Rows:
    return _options("initialisation", INITIALISATIONS)


TABLES: dict[str, Callable[[], Rows]] = {
    one.__name__: one
    for one in (
        *(operators, diagnostics, commands, targets, views, shift_implementations),
        *(backends, settings, datasets, augmentations, optimizers, schedules),
        initialisations,
    )
}


def table(name: str) -> str:
    """A table in Markdown."""
    head, *rows = TABLES[name]()
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in escaped)


def refreshed(text: str) -> str:
    """A page with fresh tables and outputs."""
    text = TABLE.sub(lambda found: found[1] + table(found[2]) + found[3], text)
    return OUTPUT.sub(lambda found: found[1] + output(found[2]) + found[3], text)


def main() -> int:
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fresh = refreshed(text)
        if fresh != text:
            stale.append(page)
            if "--check" not in sys.argv[1:]:
                page.write_text(fresh, encoding="utf-8")
    for page in stale:
        print(page.relative_to(ROOT))
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
