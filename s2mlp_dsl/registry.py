"""Things of one kind by name: ours are the files of a folder, packages bring others.

A folder such as `targets/` holds one module for each thing, called like it, with one
class. A package adds more by entry point, in its `pyproject.toml`:

    [project.entry-points."s2mlp_dsl.targets"]
    counts = "s2mlp_counts:Counts"

Names are found without importing anything, so that a command can list them. A class is
imported when it is asked for: a broken package troubles nobody who does not use it.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from io import FileIO
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from s2mlp_dsl.diagnostics.catalogue import plugins
from s2mlp_dsl.diagnostics.record import Message

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PREFIX = "s2mlp_dsl."  # of entry point groups
OURS = "s2mlp-dsl"
# The version of every contract here. A package says which one it was written for.
API = 1

T = TypeVar("T")


class RegistrationError(Exception):
    """A package registers something that cannot be used.

    `message` and `fields` say what is wrong where a spec uses it; see `Report.add`.
    """

    exit_code = 4

    def __init__(self, message: Message, **fields: Any) -> None:
        self.message, self.fields = message, fields
        help = "" if message.help is None else message.help.format(**fields)
        super().__init__("; ".join([message.label.format(**fields), help]))


class Registry(Generic[T]):
    """The classes of one kind. `needed` are the facets that each must have itself.

    `hyphens` is for names that stand on the command line: the module `ir_json` is
    `ir-json` then.
    """

    def __init__(
        self,
        package: str,
        kind: type[T],
        needed: tuple[str, ...] = (),
        *,
        hyphens: bool = False,
    ) -> None:
        self.package, self.kind, self.needed = package, kind, needed
        self.group = f"{PREFIX}{package.rpartition('.')[2]}"
        self._hyphens = hyphens
        self._found: dict[str, type[T]] = {}

    @property
    def built_in(self) -> dict[str, str]:
        """The name of each of ours, with the module that holds it."""
        return _modules(self.package, self._hyphens)

    def names(self) -> list[str]:
        """Ours, then those of packages. Nothing is imported."""
        theirs = _offered(self.group).keys() - self.built_in.keys()
        return [*self.built_in, *sorted(theirs)]

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in _offered(self.group)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __getitem__(self, name: str) -> type[T]:
        """The class of a name. Raises `KeyError` and `RegistrationError`."""
        entries = _offered(self.group).get(name, ())
        owners = [OURS] * (name in self.built_in) + [*map(owner_of, entries)]
        if len(owners) > 1:
            theirs = owners[1] if owners[0] == OURS and len(owners) == 2 else None
            raise RegistrationError(
                plugins.NAME_REGISTERED_TWICE,
                name=name,
                owners=" and by ".join(owners),
                theirs=theirs or "all but one",
            )
        if name not in self._found:
            if name in self.built_in:
                self._found[name] = self._ours(self.built_in[name])
            elif entries:
                self._found[name] = self._theirs(name, entries[0])
            else:
                raise KeyError(name)
        return self._found[name]

    def docs(self) -> dict[str, str]:
        """The line `doc` of each name; of a broken package, what is wrong with it."""
        found = {}
        for name in self:
            try:
                found[name] = str(getattr(self[name], "doc", ""))
            except RegistrationError as error:
                found[name] = str(error)
        return found

    def owner(self, name: str) -> str:
        """The package that registers a name, with its version; ours is `s2mlp-dsl`."""
        if name in self.built_in:
            return OURS
        return owner_of(_offered(self.group)[name][0])

    def _ours(self, module: str) -> type[T]:
        (found,) = (
            one
            for one in vars(import_module(module)).values()
            if self._is_kind(one) and one.__module__ == module
        )
        return found  # type: ignore[no-any-return]

    def _is_kind(self, one: object) -> bool:
        return isinstance(one, type) and issubclass(one, self.kind)

    def _theirs(self, name: str, entry: "EntryPoint") -> type[T]:
        owner, said = owner_of(entry), entry.value
        try:
            found = entry.load()
        except Exception as error:
            reason = f"importing {said} fails: {type(error).__name__}: {error}"
            raise RegistrationError(
                plugins.PACKAGE_NOT_LOADED, name=name, owner=owner, reason=reason
            ) from error
        kind = f"{self.kind.__module__}.{self.kind.__name__}"
        missing = [
            one
            for one in self.needed
            if getattr(found, one, None) is getattr(self.kind, one, None)
        ]
        written_for = getattr(found, "api", None)
        if not self._is_kind(found):
            reason = f"{said} is not a subclass of {kind}"
        elif written_for != API:
            was = "does not say" if written_for is None else f"says {written_for} for"
            reason = f"{said} {was} the contract's version (`api = {API}`)"
        elif not (name.replace("-", "_") if self._hyphens else name).isidentifier():
            reason = f"`{name}` is not an identifier"
        elif missing:
            reason = f"{said} has no `{missing[0]}`"
        else:
            return found  # type: ignore[no-any-return]
        raise RegistrationError(
            plugins.CONTRACT_NOT_MET, name=name, owner=owner, reason=reason
        )


@cache
def _modules(package: str, hyphens: bool) -> dict[str, str]:
    folder = import_module(package).__path__
    return {
        (one.name.replace("_", "-") if hyphens else one.name): f"{package}.{one.name}"
        for one in iter_modules(folder)
        if not one.name.startswith("_")
    }


@cache
def _offered(group: str) -> dict[str, tuple["EntryPoint", ...]]:
    """What installed packages register in a group, by name."""
    if not _any_speaks_of_us():
        return {}
    metadata = import_module("importlib.metadata")
    offers: dict[str, list[EntryPoint]] = defaultdict(list)
    for one in metadata.entry_points(group=group):
        offers[one.name].append(one)
    return {name: tuple(found) for name, found in offers.items()}


def forget_packages() -> None:
    """Look again for installed packages, as after an install in a running process."""
    _offered.cache_clear()
    _any_speaks_of_us.cache_clear()


@cache
def _any_speaks_of_us() -> bool:
    return any(map(_speaks_of_us, sys.path))


def _speaks_of_us(place: str) -> bool:
    """Whether a package of a folder registers anything with us.

    Every command asks, so this only looks for our prefix in small files: to have them
    all parsed takes several times as long.
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
        if f"[{PREFIX}".encode() in text:
            return True
    return False


def owner_of(entry: "EntryPoint") -> str:
    """The package that registers an entry point, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
