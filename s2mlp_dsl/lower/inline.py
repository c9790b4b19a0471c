"""The definitions of modules, ready to be written into an emitted source.

Those of `s2mlp_dsl/nn`, and of the files that plug-ins name.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from s2mlp_dsl.lower.allowed import ForbiddenSource, check_source
from s2mlp_dsl.operators import OURS, Operator, PluginError

# What every emitted source imports or may import: no definition may be called so.
_IMPORTED = frozenset(["Sequence", "Tensor", "nn", "torch"])
_FOLDER = Path(__file__).resolve().parents[1] / "nn"


@dataclass(frozen=True)
class Definition:
    """A class or function: its text, the names it reads, where those come from."""

    name: str
    text: str
    reads: frozenset[str]
    imported: tuple[tuple[str, str], ...]  # (name, module), read by this definition


class Definitions:
    """What may be written into one source: our modules, and those of plug-ins.

    Raises `PluginError` where a file of theirs holds what no source may contain,
    or a name that another one has.
    """

    def __init__(self, operators: Iterable[Operator] = ()) -> None:
        self.known = dict(_ours())
        self.owners: dict[str, Operator] = {}
        brought = {one.name: one for one in operators}.values()
        self.others = [one for one in brought if one.owner is not None]
        for operator in self.others:
            if operator.modules is not None:
                self._add(operator, operator.modules)

    @property
    def names(self) -> frozenset[str]:
        """Every name that they may bring into a source."""
        return frozenset(self.known)

    def of(self, classes: Iterable[str]) -> list[Definition]:
        """These classes and all they need, each after what it needs."""
        ordered: dict[str, Definition] = {}

        def add(name: str) -> None:
            if name in ordered:
                return
            for needed in sorted(self.known[name].reads & (self.names - {name})):
                add(needed)
            if name in self.owners:
                self._hold_allowed(self.known[name], self.owners[name])
            ordered[name] = self.known[name]

        for name in sorted(classes):
            if name not in self.known:
                listed = ", ".join(
                    f"`{one.name}` of {one.owner}" for one in self.others
                )
                raise PluginError(f"{listed}: `construct` names `{name}`, no module")
            add(name)
        return list(ordered.values())

    def _add(self, operator: Operator, path: Path) -> None:
        try:
            found = list(_read(path))
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise _refused(operator, f"{path} cannot be read: {error}") from error
        for definition in found:
            name = definition.name
            other = self.owners.get(name)
            if other is not None and other.modules == path:
                continue  # two operators of one file
            if name in self.known or name in _IMPORTED:
                owner = other.owner if other is not None else OURS
                reason = f"{path.name} and {owner} both have a `{name}`: rename it"
                raise _refused(operator, reason)
            self.known[name], self.owners[name] = definition, operator

    def _hold_allowed(self, definition: Definition, operator: Operator) -> None:
        imports = [
            f"from {module} import {name}" for name, module in definition.imported
        ]
        try:
            check_source("\n".join([*imports, definition.text]), self.names)
        except ForbiddenSource as error:
            raise _refused(
                operator,
                f"`{definition.name}` contains what no emitted source may "
                f"({str(error).split(': ', 1)[1]})",
            ) from error


def _refused(operator: Operator, reason: str) -> PluginError:
    named = f"the operator `{operator.name}` of {operator.owner}"
    return PluginError(f"{named} cannot be compiled: {reason}")


def import_lines(definitions: Iterable[Definition]) -> list[str]:
    """The imports of an emitted source: standard library, blank line, torch."""
    names: dict[str, set[str]] = defaultdict(set)
    names["torch"] = {"Tensor", "nn"}
    for definition in definitions:
        for name, module in definition.imported:
            names[module].add(name)
    standard = [
        f"from {module} import {', '.join(sorted(names[module]))}"
        for module in sorted(names)
        if not module.startswith("torch")
    ]
    torch = ["import torch"] + [
        f"from {module} import {', '.join(sorted(names[module]))}"
        for module in sorted(names)
        if module.startswith("torch")
    ]
    return [*standard, "", *torch] if standard else torch


@cache
def _ours() -> dict[str, Definition]:
    known: dict[str, Definition] = {}
    for path in sorted(_FOLDER.glob("*.py")):
        for definition in _read(path):
            # They will stand side by side in one source.
            assert definition.name not in known, definition.name
            known[definition.name] = definition
    return known


def _read(path: Path) -> Iterable[Definition]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    origin: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            if not node.module.startswith("s2mlp_dsl."):
                origin |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            reads = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            yield Definition(
                node.name,
                "\n".join(lines[node.lineno - 1 : node.end_lineno]),
                frozenset(reads),
                tuple((name, origin[name]) for name in sorted(reads & origin.keys())),
            )
