"""Files: where they are read from, what they import, and the names they declare."""

from dataclasses import dataclass, field
from pathlib import Path

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Fix, Report, SpecError, Suggestion
from s2mlp_dsl.diagnostics.catalogue import files, syntax
from s2mlp_dsl.diagnostics.catalogue.limits import (
    IMPORTED_BYTES,
    IMPORTED_FILES,
    SPEC_BYTES,
)
from s2mlp_dsl.diagnostics.catalogue.names import DECLARED_AGAIN
from s2mlp_dsl.diagnostics.suggest import close_to, did_you_mean
from s2mlp_dsl.escape import utf8
from s2mlp_dsl.frontend import parse, tree
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source, Span

Named = (
    tree.Let
    | tree.Shift
    | tree.Block
    | tree.Model
    | tree.Variant
    | tree.Recipe
    | tree.Study
)
EDITIONS = (1,)
_STD = "std:"  # before the name of a shipped file


@dataclass(eq=False, repr=False)
class Unit:
    """A file and what its names stand for, its own and the imported ones.

    It is complete when a spec is loaded, and not changed after that.
    """

    file: tree.File
    names: dict[str, "Declared"] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)  # of names in this file
    lost: set[str] = field(default_factory=set)  # names that damage may have hidden
    circular: set[str] = field(default_factory=set)  # blocks that call themselves

    def hides(self, name: str) -> bool:
        """Whether damaged text may have declared this name."""
        return name in self.lost or tree.ANY_NAME in self.lost

    def own(self, kind: type | tuple[type, ...]) -> dict[str, "Declared"]:
        """Declarations of one kind in this file itself, in order."""
        return {
            name: declared
            for name, declared in self.names.items()
            if declared.unit is self and isinstance(declared.declaration, kind)
        }

    def constant(self, name: str) -> tree.Let | None:
        """The constant of a name, None where there is none."""
        declared = self.names.get(name)
        found = None if declared is None else declared.declaration
        return found if isinstance(found, tree.Let) else None


@dataclass(eq=False, repr=False)
class Declared:
    """A declaration and its file."""

    declaration: Named
    unit: Unit = field(repr=False)

    @property
    def damaged(self) -> bool:
        """Whether part of it did not parse, which has been reported."""
        span = self.declaration.span
        return any(
            bad.start < span.end and span.start < bad.end
            for bad in self.unit.file.damaged
        )


def is_value(declared: Declared | None) -> bool:
    """Whether an expression may read it. The name of a block or model hides no word."""
    kinds = tree.Let | tree.Shift
    return declared is not None and isinstance(declared.declaration, kinds)


class UnreadableSpec(SpecError):
    """The spec itself cannot be read: a mistake of the caller, not of the spec."""

    @property
    def exit_code(self) -> int:
        """Wrong usage."""
        return 2


def read_source(path: Path, name: str, report: Report) -> Source:
    """Read a spec. Raises `UnreadableSpec`, and `SpecError` for what is not text."""
    limit = limits().bytes
    nowhere = Span(Source(utf8(name), "", path), 0, 0)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        report.add(files.NOT_READ, nowhere, reason=reason.lower())
        raise UnreadableSpec(report.sorted()) from error
    return decode_source(data, name, path, report)


def decode_source(data: bytes, name: str, path: Path | None, report: Report) -> Source:
    """The text of a spec. Raises `SpecError` where it is too long or not text."""
    limit, name = limits().bytes, utf8(name)
    nowhere = Span(Source(name, "", path), 0, 0)
    if len(data) > limit:
        report.add(SPEC_BYTES, nowhere, limit=limit)
        report.raise_errors()
    try:
        return Source(name, data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.add(files.NOT_UTF8, nowhere, line=line)
        raise SpecError(report.sorted()) from error


def load_unit(source: Source, report: Report) -> list[Unit]:
    """Read a spec and everything it imports; the spec itself comes first."""
    loader = _Loader(report, bytes=len(source.text))
    unit = loader.load(source, ())
    return [unit, *(other for other in loader.done.values() if other is not unit)]


@dataclass(eq=False, repr=False)
class _Loader:
    """Reads a file and what it imports, each once."""

    report: Report
    done: dict[Path, Unit] = field(default_factory=dict)
    bytes: int = 0

    def load(self, source: Source, chain: tuple[Path, ...]) -> Unit:
        unit = Unit(parse(source, self.report))
        unit.lost |= unit.file.lost
        if source.path is not None:
            here = source.path.resolve()
            self.done[here] = unit
            chain = (*chain, here)
        self._check_edition(unit)
        for declaration in unit.file.declarations:
            if isinstance(declaration, tree.Import):
                self._import(unit, declaration, chain)
            elif isinstance(declaration, Named):
                self._declare(unit, declaration.name, Declared(declaration, unit))
        return unit

    def _check_edition(self, unit: Unit) -> None:
        declarations = unit.file.declarations
        source = unit.file.source
        editions = [one for one in declarations if isinstance(one, tree.Edition)]
        if not editions:
            if not unit.hides("edition") and not unit.file.damaged:
                line = len(source.line(1).rstrip())
                self.report.add(
                    syntax.EDITION_MISSING if line else syntax.EMPTY_FILE,
                    Span(source, 0, line),
                    fix=Fix(Span(source, 0, 0), "edition 1\n"),
                )
            return
        first, *others = editions
        if first is not declarations[0] and not unit.file.damaged:
            self.report.add(syntax.EDITION_LATE, first.span)
        if first.number.lexeme not in map(str, EDITIONS):
            latest = EDITIONS[-1]
            self.report.add(syntax.EDITION_UNKNOWN, first.number.span, latest=latest)
        for other in others:
            self.report.add(syntax.EDITION_AGAIN, other.span)

    def _declare(self, unit: Unit, name: tree.Name, declared: Declared) -> None:
        if name.id in unit.names:
            first = unit.places[name.id]
            self.report.add(DECLARED_AGAIN, name.span, related=first)
            return
        unit.names[name.id] = declared
        unit.places[name.id] = name.span

    def _import(
        self, unit: Unit, declaration: tree.Import, chain: tuple[Path, ...]
    ) -> None:
        try:
            other = self._open(unit, declaration, chain)
        except AlreadyReported:
            unit.lost |= {imported.local.id for imported in declaration.names}
            return
        for imported in declaration.names:
            name = imported.name.id
            if name in other.names:
                self._declare(unit, imported.local, other.names[name])
                continue
            # What was meant is very likely used under its right name.
            unit.lost |= {imported.local.id, *close_to(name, other.names)}
            if not other.hides(name):
                self.report.add(
                    files.NOT_IN_FILE,
                    imported.name.span,
                    help=did_you_mean(name, other.names),
                    file=declaration.origin.value,
                    name=name,
                )

    def _open(
        self, unit: Unit, declaration: tree.Import, chain: tuple[Path, ...]
    ) -> Unit:
        origin = declaration.origin
        path = _locate(unit.file.source, origin, self.report)
        if path in chain:
            cycle = [file.name for file in (*chain[chain.index(path) :], path)]
            raise self.report.add(
                files.FILES_IN_A_CYCLE, origin.span, cycle=" → ".join(cycle)
            )
        if path in self.done:
            return self.done[path]
        if not _is_file(path):
            help = _nearest(path, origin.value)
            raise self.report.add(files.NO_FILE, origin.span, help=help)
        name = str(Path(unit.file.source.name).parent / origin.value)
        if origin.value.startswith(_STD):
            name = origin.value
        try:
            source = read_source(path, name, self.report)
        except SpecError as error:
            raise AlreadyReported from error  # reported for the file itself
        self.bytes += len(source.text)
        for found, limit, message in (
            (len(self.done) + 1, limits().files, IMPORTED_FILES),
            (self.bytes, limits().bytes, IMPORTED_BYTES),
        ):
            if found > limit:
                raise self.report.add(message, origin.span, limit=limit)
        return self.load(source, chain)


def _locate(source: Source, origin: tree.Text, report: Report) -> Path:
    """The file of an import, links followed. It must be inside the project."""
    if origin.value.startswith(_STD):
        folder, name = shipped("specs"), origin.value.removeprefix(_STD)
        root, wanted = folder, folder / f"{name}.arch"
    else:
        here = (source.path or Path("spec.arch")).resolve()
        root, wanted = _project(here), here.parent / origin.value
        if Path(origin.value).is_absolute():
            raise report.add(files.ABSOLUTE_PATH, origin.span)
    try:
        path, root = wanted.resolve(), root.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise report.add(files.BAD_PATH, origin.span) from error
    if not path.is_relative_to(root):
        raise report.add(files.LEAVES_PROJECT, origin.span)
    return path


def _project(spec: Path) -> Path:
    """The folder that a spec may import from."""
    for folder in spec.parents:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return spec.parent


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _nearest(path: Path, wanted: str) -> str | None:
    """A help line with a file beside the missing one that has nearly the same name."""
    try:
        beside = [file.name for file in path.parent.glob("*.arch")]
    except OSError:
        beside = []
    close = did_you_mean(path.name, beside, few=0)
    # The fix is the whole path, in quotes.
    if isinstance(close, Suggestion) and not wanted.startswith(_STD):
        fitting = Path(wanted).with_name(close.replacement).as_posix()
        return Suggestion(close, f'"{fitting}"')
    return None if close is None else str(close)
