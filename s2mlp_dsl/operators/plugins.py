"""Operators that other installed packages bring, by entry point.

A package says in its `pyproject.toml`

    [project.entry-points."s2mlp_dsl.operators"]
    grn = "s2mlp_grn:Grn"

Its fact sheet is imported when a spec names the operator or `s2mlp-dsl ops` lists
it, and not before: a package that is broken troubles nobody who does not use it.
"""

import os
import sys
from collections import defaultdict
from functools import cache
from importlib import import_module
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import Code
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import API, Operator

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "s2mlp_dsl.operators"
OURS = "s2mlp-dsl"
# What a sheet must say or do itself; the rest of the contract has a default.
_NEEDED = (
    *("summary", "formula", "paper", "example", "example_input"),
    *("shape", "receptive_field", "properties", "construct", "reference"),
)


class PluginError(Exception):
    """An installed package cannot give the operator that it registers."""

    exit_code = 4


class RegistrationError(PluginError):
    """What a package registers is no operator that can be used, or one of several.

    A spec that uses it gets a diagnostic of this code at the place.
    """

    def __init__(self, code: Code, label: str, help: str) -> None:
        super().__init__(f"{label}; {help}")
        self.code, self.label, self.help = code, label, help


@cache
def offered() -> dict[str, tuple["EntryPoint", ...]]:
    """What installed packages register, by the name of the operator."""
    if not any(map(_speaks_of_us, sys.path)):
        return {}
    metadata = import_module("importlib.metadata")
    offers: dict[str, list[EntryPoint]] = defaultdict(list)
    for one in metadata.entry_points(group=GROUP):
        offers[one.name].append(one)
    return {name: tuple(found) for name, found in offers.items()}


def _speaks_of_us(place: str) -> bool:
    """Whether a package of a folder registers anything with us.

    Every command asks, so this only looks for the group's name in small files:
    to have them all parsed takes several times as long.
    """
    try:
        with os.scandir(place or ".") as found:
            names = [one.path for one in found if one.name.endswith("-info")]
    except OSError:
        return False
    for name in names:
        try:
            with FileIO(f"{name}/entry_points.txt") as file:
                text = file.read()
        except OSError:
            continue
        if GROUP.encode() in text:
            return True
    return False


def owner_of(entry: "EntryPoint") -> str:
    """The package that registers an operator, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def hold_once(name: str, entries: tuple["EntryPoint", ...], *, built_in: bool) -> None:
    """Raise `RegistrationError` where more than one has an operator of a name."""
    owners = [OURS] * built_in + [owner_of(one) for one in entries]
    if len(owners) > 1:
        theirs = owners[1] if built_in and len(owners) == 2 else "all but one"
        raise RegistrationError(
            codes.REGISTERED_TWICE,
            f"`{name}` is registered by {' and by '.join(owners)}",
            f"uninstall {theirs}, or let it be registered under another name",
        )


def load(entry: "EntryPoint") -> Operator:
    """The fact sheet behind an entry point. Raises `RegistrationError`."""
    try:
        found = entry.load()
    except Exception as error:
        reason = f"importing {entry.value} fails: {type(error).__name__}: {error}"
        raise _lost(entry, reason) from error
    if not (isinstance(found, type) and issubclass(found, Operator)):
        reason = f"{entry.value} is no subclass of s2mlp_dsl.operators.Operator"
        raise _refused(entry, reason)
    speaks = getattr(found, "api", None)
    if speaks != API:
        said = "does not say" if speaks is None else f"was written for {speaks} of"
        reason = f"{entry.value} {said} the contract's version, which is {API} here"
        raise _refused(entry, f"{reason} (`api = {API}`)")
    if getattr(found, "name", None) != entry.name or not entry.name.isidentifier():
        reason = f"{entry.value} does not say `name = {entry.name!r}`"
        raise _refused(entry, reason)
    for facet in _NEEDED:
        if getattr(found, facet, None) is getattr(Operator, facet, None):
            raise _refused(entry, f"{entry.value} has no `{facet}`")
    try:
        operator = found()
    except Exception as error:
        reason = f"{entry.value}() fails: {type(error).__name__}: {error}"
        raise _lost(entry, reason) from error
    if operator.modules is not None and not Path(operator.modules).is_file():
        raise _lost(entry, f"there is no file {operator.modules}")
    operator.owner = owner_of(entry)
    return operator


def _lost(entry: "EntryPoint", reason: str) -> RegistrationError:
    owner = owner_of(entry)
    return RegistrationError(
        codes.NOT_LOADED,
        f"`{entry.name}` of {owner}: {reason}",
        f"mend {owner}, or install it again",
    )


def _refused(entry: "EntryPoint", reason: str) -> RegistrationError:
    return RegistrationError(
        codes.NO_OPERATOR,
        f"`{entry.name}` of {owner_of(entry)}: {reason}",
        "docs/writing-an-operator.md says what an operator has",
    )
