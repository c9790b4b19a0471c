"""Plug-ins: things of one kind by name, ours and those of other packages.

Each of ours is a file of a folder such as `targets/`, with one class; files that start
with `_` are shared. A package adds others by entry point, in its `pyproject.toml`:

    [project.entry-points."s2mlp_dsl.targets"]
    counts = "s2mlp_counts:Counts"

Names are found without imports, so that a command can list them. A class is imported
when it is asked for: a broken package only matters to those who use it.
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
    """The classes of one kind.

    `needed` are the attributes that each must have itself; a kind with several
    contracts names them in its own attribute `needed`. `hyphens` is for names that are
    written on the command line: the module `ir_json` is `ir-json` then.
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

    @property
    def built_in(self) -> dict[str, str]:
        """The name of each of ours, with its module."""
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
        key = (self.group, name)
        if key not in _loaded:
            self._check_unique(name)
            if name in self.built_in:
                _loaded[key] = self._ours(self.built_in[name])
            else:
                _loaded[key] = self._theirs(name, _offered(self.group)[name][0])
        return _loaded[key]

    def get(self, name: str) -> type[T] | None:
        """The class of a name, None for one that is not registered.

        Raises `RegistrationError`.
        """
        return self[name] if name in self else None  # noqa: SIM401

    def ours(self) -> list[type[T]]:
        """Our classes, whatever packages register under the same names."""
        return [self._ours(module) for module in self.built_in.values()]

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

    def _check_unique(self, name: str) -> None:
        theirs = [owner_of(entry) for entry in _offered(self.group).get(name, ())]
        owners = [OURS] * (name in self.built_in) + theirs
        if len(owners) > 1:
            raise RegistrationError(
                plugins.NAME_REGISTERED_TWICE,
                name=name,
                owners=" and by ".join(owners),
                theirs=theirs[0] if len(theirs) == 1 else "all but one",
            )

    def _ours(self, module: str) -> type[T]:
        """The one class of a file, with subclasses of it aside."""
        classes = [
            found
            for found in vars(import_module(module)).values()
            if self._is_kind(found) and found.__module__ == module
        ]
        (top,) = (found for found in classes if not set(classes) & {*found.__mro__[1:]})
        return top  # type: ignore[no-any-return]

    def _is_kind(self, found: object) -> bool:
        return isinstance(found, type) and issubclass(found, self.kind)

    def _theirs(self, name: str, entry: "EntryPoint") -> type[T]:
        owner, value = owner_of(entry), entry.value
        try:
            found = entry.load()
        except Exception as error:
            reason = f"importing {value} fails: {type(error).__name__}: {error}"
            raise RegistrationError(
                plugins.PACKAGE_NOT_LOADED, name=name, owner=owner, reason=reason
            ) from error
        fault = self._fault(found, name)
        if fault is not None:
            raise RegistrationError(
                plugins.CONTRACT_NOT_MET,
                name=name,
                owner=owner,
                reason=f"{value} {fault}",
            )
        return found  # type: ignore[no-any-return]

    def _fault(self, found: Any, name: str) -> str | None:
        """What is wrong with a class of a package, None where nothing is."""
        if not self._is_kind(found):
            return f"is not a subclass of {self.package}.{self.kind.__name__}"
        api = getattr(found, "api", None)
        if api != API:
            says = "has no `api`" if api is None else f"has `api = {api}`"
            return f"{says}; the version of the contract is {API}"
        if getattr(found, "name", name) != name:
            return f"does not have `name = {name!r}`"
        if not (name.replace("-", "_") if self._hyphens else name).isidentifier():
            return f"has a name, `{name}`, that is not an identifier"
        contract = next((c for c in found.__mro__ if "needed" in vars(c)), self.kind)
        for facet in getattr(contract, "needed", self.needed):
            if getattr(found, facet, None) is getattr(contract, facet, None):
                return f"has no `{facet}`"
        return None


# The classes that were asked for, by group and name.
_loaded: dict[tuple[str, str], type[Any]] = {}


@cache
def _modules(package: str, hyphens: bool) -> dict[str, str]:
    folder = import_module(package).__path__
    return {
        name.replace("_", "-") if hyphens else name: f"{package}.{name}"
        for _, name, _ in iter_modules(folder)
        if not name.startswith("_")
    }


@cache
def _offered(group: str) -> dict[str, tuple["EntryPoint", ...]]:
    """What installed packages register in a group, by name."""
    if not _any_registers():
        return {}
    metadata = import_module("importlib.metadata")
    offers: dict[str, list[EntryPoint]] = defaultdict(list)
    for entry in metadata.entry_points(group=group):
        offers[entry.name].append(entry)
    return {name: tuple(found) for name, found in offers.items()}


def forget_packages() -> None:
    """Look again for installed packages, as after an install in a running process."""
    _loaded.clear()
    _offered.cache_clear()
    _any_registers.cache_clear()


@cache
def _any_registers() -> bool:
    return any(map(_registers, sys.path))


def _registers(place: str) -> bool:
    """Whether a package of a folder registers anything with us.

    Every command asks, so this only looks for our prefix in small files: to have them
    all parsed takes several times as long.
    """
    try:
        with os.scandir(place or ".") as found:
            names = [folder.path for folder in found if folder.name.endswith("-info")]
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
