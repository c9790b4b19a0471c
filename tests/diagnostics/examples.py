"""The examples in `diagnostics/texts/CODE.md`, as files on disk.

A text has the sections `Wrong:` and `Right:`, and `Given:` where other files
stand beside them. A fence says `arch`, then the name of the file (`main.arch`
where it is left out, which is the spec), then how it is saved: an encoding,
`last line N times`, or `for n from A to B`, which is many files with `{n}` and
`{n+1}` in name and text. Fences of TOML and Python are those of a package: where
there is a `pyproject.toml`, its entry points are registered. A spec may say `to
TARGET`, which it is then compiled to, or `by LOWERING`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.diagnostics import CODES, Diagnostic, SpecError
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.operators import OPERATORS
from tests.packages import looked_for_anew, register

_SECTION = re.compile(r"^(Given|Wrong|Right):$", re.MULTILINE)
_FENCE = re.compile(
    r"^```(?:arch|toml|python) *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class File:
    name: str
    how: str
    text: str

    @property
    def data(self) -> bytes:
        if times := re.fullmatch(r"last line (\d+) times", self.how):
            *lines, last = self.text.splitlines(keepends=True)
            return "".join([*lines, last * int(times[1])]).encode()
        plain = not self.how or self.command
        return self.text.encode("utf-8" if plain else self.how)

    @property
    def command(self) -> list[str]:
        """`to` and a target, or `by` and a lowering, where it says so."""
        words = self.how.split()
        return words if words[:1] in (["to"], ["by"]) else []


@dataclass(frozen=True)
class Example:
    given: tuple[File, ...]
    wrong: File
    right: File


def example(code: str) -> Example:
    """The parsed text of a code."""
    _, *rest = _SECTION.split(CODES[code].explanation())
    sections = {
        title: tuple(file for fence in _FENCE.findall(body) for file in _files(*fence))
        for title, body in zip(rest[::2], rest[1::2], strict=True)
    }
    (wrong,), (right,) = sections["Wrong"], sections["Right"]
    return Example(sections.get("Given", ()), wrong, right)


def _files(info: str, text: str) -> Iterator[File]:
    name, _, how = info.partition(" ")
    if many := re.fullmatch(r"for n from (\d+) to (\d+)", how):
        for n in range(int(many[1]), int(many[2]) + 1):
            numbered = text.replace("{n+1}", str(n + 1)).replace("{n}", str(n))
            yield File(name.replace("{n}", str(n)), "", numbered)
        return
    yield File(name or "main.arch", how, text)


def check_files(folder: Path, spec: File, others: tuple[File, ...]) -> list[Diagnostic]:
    """What `check` finds, in a folder of its own, and then `compile`."""
    folder.mkdir()
    for file in (*others, spec):
        (folder / file.name).write_bytes(file.data)
    name = spec.name if spec.name.endswith(".arch") else "main.arch"
    with _installed(folder):
        try:
            loaded = load(folder / name, name)
            checked = check_spec(loaded)
            for file in (*others, spec):
                match file.command:
                    case ["to", target]:
                        elaborate(loaded).emit(target)
                    case ["by", lowering]:
                        elaborate(loaded).source(lowering=lowering)
        except SpecError as error:
            return list(error.diagnostics)
        return checked.report.sorted()


@contextmanager
def _installed(folder: Path) -> Iterator[None]:
    """The folder as that of an installed package, where it says which."""
    project = folder / "pyproject.toml"
    if not project.exists():
        yield
        return
    said = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    register(
        folder, said["name"], said["version"], said["entry-points"][OPERATORS.group]
    )
    with looked_for_anew():
        sys.path.insert(0, str(folder))
        try:
            yield
        finally:
            sys.path.remove(str(folder))
