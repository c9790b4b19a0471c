"""The module definitions that are written into an emitted source.

They come from `s2mlp_dsl/nn`, and from the files that packages register.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import plugins
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.shift_implementations import SHIFTS, shift_of
from s2mlp_dsl.lower.source_check import ForbiddenSource, check_source, parsed
from s2mlp_dsl.operators import OPERATORS, applied
from s2mlp_dsl.registry import OURS
from s2mlp_dsl.source import Span

# What every emitted source may import: no definition may have these names.
_IMPORTED = frozenset(["F", "Sequence", "Tensor", "nn", "torch", "wrap"])
_FOLDER = Path(__file__).resolve().parents[1] / "nn"


@dataclass(frozen=True)
class Definition:
    """A class or function: its text, the names it reads, where those come from."""

    name: str
    text: str
    reads: frozenset[str]
    imported: tuple[tuple[str, str], ...]  # (module, name), read by this definition


@dataclass(frozen=True)
class Brought:
    """What a package registers, the file with its modules, and where it is used."""

    name: str
    owner: str
    file: Path | None
    span: Span | None


class Definitions:
    """What may be written into the source of a model: our modules, and of packages.

    Raises `CannotLower` (A0312) where a package's file cannot be read, defines a name
    that is taken, or contains what no emitted source may.
    """

    def __init__(self, model: Model | None = None, lowering: str = "select") -> None:
        self.known = dict(nn_definitions())
        self._model = model
        self._owners: dict[str, Brought] = {}
        self._brought = list(_brought(model, lowering)) if model else []
        for file, one in {one.file: one for one in reversed(self._brought)}.items():
            if file is not None:
                self._add(file, one)

    def of(self, classes: Iterable[str]) -> list[Definition]:
        """These classes and all they need, each after what it needs."""
        ordered: dict[str, Definition] = {}

        def add(name: str) -> None:
            if name in ordered:
                return
            for needed in sorted(self.known[name].reads & (self.known.keys() - {name})):
                add(needed)
            if name in self._owners:
                self._check_allowed(self.known[name], self._owners[name])
            ordered[name] = self.known[name]

        for name in sorted(classes):
            if name not in self.known:
                raise self._refused(
                    plugins.MODULE_UNDEFINED, self._brought[0], definition=name
                )
            add(name)
        return list(ordered.values())

    def _add(self, file: Path, brought: Brought) -> None:
        try:
            found = list(_read(file))
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise self._refused(
                plugins.MODULE_UNREADABLE, brought, path=file, reason=error
            ) from error
        for one in found:
            if one.name in self.known or one.name in _IMPORTED:
                other = self._owners.get(one.name)
                raise self._refused(
                    plugins.MODULE_NAME_TAKEN,
                    brought,
                    path=file.name,
                    other=other.owner if other else OURS,
                    definition=one.name,
                )
            self.known[one.name], self._owners[one.name] = one, brought

    def _check_allowed(self, definition: Definition, brought: Brought) -> None:
        imports = [
            f"from {module} import {name}" for module, name in definition.imported
        ]
        try:
            check_source("\n".join([*imports, definition.text]), self.known)
        except ForbiddenSource as error:
            raise self._refused(
                plugins.MODULE_FORBIDDEN,
                brought,
                definition=definition.name,
                found=error.found,
            ) from error

    def _refused(
        self, message: Message, brought: Brought, **fields: Any
    ) -> CannotLower:
        assert self._model is not None
        return CannotLower(
            message,
            self._model,
            span=brought.span,
            name=brought.name,
            owner=brought.owner,
            **fields,
        )


def import_lines(definitions: Iterable[Definition]) -> list[str]:
    """The imports of an emitted source: standard library, blank line, torch."""
    names: dict[str, set[str]] = defaultdict(set)
    names["torch"] = {"Tensor", "nn"}
    for definition in definitions:
        for module, name in definition.imported:
            names[module].add(name)
    lines = {
        module: f"from {module} import {', '.join(sorted(names[module]))}"
        for module in sorted(names)
    }
    standard = [line for name, line in lines.items() if not name.startswith("torch")]
    torch = [line for name, line in lines.items() if name.startswith("torch")]
    return [*standard, *([""] if standard else []), "import torch", *torch]


def _brought(model: Model, lowering: str) -> Iterator[Brought]:
    """What packages bring for the statements of a model, at their first use."""
    implementation = SHIFTS[lowering]
    for op in ops_in(model):
        owner = OPERATORS.owner(op.operator)
        if owner != OURS:
            yield Brought(op.operator, owner, applied(op).modules, op.span)
        if implementation.modules is not None and shift_of(op):
            owner = SHIFTS.owner(lowering)
            yield Brought(lowering, owner, implementation.modules, op.span)


@cache
def nn_definitions() -> dict[str, Definition]:
    """Every class and function of `s2mlp_dsl/nn`, by name."""
    found = [one for path in sorted(_FOLDER.glob("*.py")) for one in _read(path)]
    known = {one.name: one for one in found}
    assert len(known) == len(found), "one source may contain all of them"
    return known


def _read(path: Path) -> Iterator[Definition]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    origin: dict[str, tuple[str, str]] = {}
    for node in parsed(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            if not node.module.startswith("s2mlp_dsl."):
                for alias in node.names:
                    origin[alias.asname or alias.name] = node.module, ast.unparse(alias)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            reads = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            first = min(one.lineno for one in (node, *node.decorator_list))
            yield Definition(
                node.name,
                "\n".join(lines[first - 1 : node.end_lineno]),
                frozenset(reads),
                tuple(origin[name] for name in sorted(reads & origin.keys())),
            )
