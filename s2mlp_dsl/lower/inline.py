"""The definitions of `s2mlp_dsl/nn`, ready to be written into an emitted source."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import s2mlp_dsl

_FOLDER = Path(s2mlp_dsl.__file__).parent / "nn"


@dataclass(frozen=True)
class Definition:
    """A class or function: its text, the names it reads, where those come from."""

    name: str
    text: str
    reads: frozenset[str]
    imported: tuple[tuple[str, str], ...]  # (name, module), read by this definition


def definitions_for(classes: Iterable[str]) -> list[Definition]:
    """These classes and all they need, each after what it needs."""
    known = _definitions()
    ordered: dict[str, Definition] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        for needed in sorted(known[name].reads & (known.keys() - {name})):
            add(needed)
        ordered[name] = known[name]

    for name in sorted(classes):
        add(name)
    return list(ordered.values())


def defined_names() -> frozenset[str]:
    """Every name that `nn` may bring into an emitted source."""
    return frozenset(_definitions())


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
        if module != "torch"
    ]
    torch = ["import torch", f"from torch import {', '.join(sorted(names['torch']))}"]
    return [*standard, "", *torch] if standard else torch


@cache
def _definitions() -> dict[str, Definition]:
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
