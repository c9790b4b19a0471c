"""Files, and the names that each of them knows."""

from dataclasses import dataclass, field
from pathlib import Path

from s2mlp_dsl.diagnostics import Poisoned, Report, SpecError
from s2mlp_dsl.elaborate import bounds, codes
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.syntax import codes as syntax_codes
from s2mlp_dsl.syntax import parse, tree

Named = tree.Let | tree.Shift | tree.Block | tree.Model | tree.Variant | tree.Recipe
EDITIONS = (1,)


class UnreadableSpec(SpecError):
    """The spec itself cannot be read: a mistake of the caller, not of the spec."""


@dataclass
class Unit:
    """A file and what its names stand for, its own and the imported ones."""

    file: tree.File
    names: dict[str, "Declared"] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # names that damage may have hidden

    def own(self, kind: type | tuple[type, ...]) -> dict[str, "Declared"]:
        """Names of one kind that this file declares itself, in order."""
        return {
            name: declared
            for name, declared in self.names.items()
            if declared.unit is self and isinstance(declared.declaration, kind)
        }


@dataclass(frozen=True)
class Declared:
    """A declaration and the file it stands in."""

    declaration: Named
    unit: Unit = field(repr=False)

    @property
    def damaged(self) -> bool:
        """Part of it did not parse, which has been reported."""
        span = self.declaration.span
        return any(
            bad.start < span.end and span.start < bad.end
            for bad in self.unit.file.damaged
        )


def read_source(path: Path, name: str, report: Report) -> Source:
    """Read a spec. Raises `UnreadableSpec` if there is nothing to read."""
    nowhere = Source(name, "", path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        report.add(codes.UNREADABLE, Span(nowhere, 0, 0), reason.lower())
        raise UnreadableSpec(report.sorted()) from error
    if len(data) > bounds.FILE_BYTES:
        report.add(
            codes.FILE_SIZE,
            Span(nowhere, 0, 0),
            f"{len(data):,} bytes; the limit is {bounds.FILE_BYTES:,}",
        )
        report.raise_errors()
    try:
        return Source(name, data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        report.add(
            codes.UNREADABLE,
            Span(nowhere, 0, 0),
            f"byte {error.start} is not UTF-8 text",
        )
        raise SpecError(report.sorted()) from error


def load_unit(source: Source, report: Report) -> list[Unit]:
    """Read a spec and everything it imports; the spec itself comes first."""
    loader = _Loader(report)
    unit = loader.load(source, ())
    return [unit, *(one for one in loader.done.values() if one is not unit)]


@dataclass
class _Loader:
    report: Report
    done: dict[Path, Unit] = field(default_factory=dict)

    def load(self, source: Source, chain: tuple[Path, ...]) -> Unit:
        unit = Unit(parse(source, self.report))
        unit.lost |= unit.file.lost
        if source.path is not None:
            here = source.path.resolve()
            self.done[here] = unit
            chain = (*chain, here)
        self._edition(unit)
        for declaration in unit.file.declarations:
            if isinstance(declaration, tree.Import):
                self._import(unit, declaration, chain)
            elif isinstance(declaration, Named):
                self._declare(unit, declaration.name, Declared(declaration, unit))
        return unit

    def _edition(self, unit: Unit) -> None:
        first, *others = unit.file.declarations or (None,)
        source = unit.file.source
        if not isinstance(first, tree.Edition):
            if "edition" not in unit.lost and not unit.file.damaged:
                end = max(1, len(source.text.split("\n", 1)[0]))
                self.report.add(
                    syntax_codes.NO_EDITION,
                    Span(source, 0, end),
                    help="write `edition 1` as the first line",
                )
        elif first.number.lexeme not in map(str, EDITIONS):
            self.report.add(
                syntax_codes.BAD_EDITION,
                first.number.span,
                help=f"write `edition {EDITIONS[-1]}`",
            )
        for other in others:
            if isinstance(other, tree.Edition):
                self.report.add(
                    syntax_codes.UNEXPECTED,
                    other.span,
                    "the edition stands in the first line only",
                    help="remove it",
                )

    def _declare(self, unit: Unit, name: tree.Name, declared: Declared) -> None:
        if name.id in unit.names:
            earlier = unit.names[name.id].declaration.name.span
            self.report.add(
                codes.DECLARED_TWICE,
                name.span,
                notes=[f"`{name.id}` is declared first at {earlier!r}"],
                help="rename one of them",
            )
            return
        unit.names[name.id] = declared

    def _import(
        self, unit: Unit, declaration: tree.Import, chain: tuple[Path, ...]
    ) -> None:
        wanted = declaration.names
        try:
            other = self._open(unit, declaration, chain)
        except Poisoned:
            unit.lost |= {one.local.id for one in wanted}
            return
        for one in wanted:
            if one.name.id in other.names:
                self._declare(unit, one.local, other.names[one.name.id])
                continue
            unit.lost.add(one.local.id)
            if one.name.id not in other.lost:
                self.report.add(
                    codes.NOT_EXPORTED,
                    one.name.span,
                    f"`{declaration.origin.value}` has no `{one.name.id}`",
                    help=did_you_mean(one.name.id, other.names),
                )

    def _open(
        self, unit: Unit, declaration: tree.Import, chain: tuple[Path, ...]
    ) -> Unit:
        origin = declaration.origin
        path = self._locate(unit.file.source, origin)
        if path in chain:
            files = " → ".join(p.name for p in (*chain[chain.index(path) :], path))
            raise self.report.add(
                codes.IMPORT_CYCLE,
                origin.span,
                files,
                help="move what both need into a third file",
            )
        if path in self.done:
            return self.done[path]
        if not path.is_file():
            raise self.report.add(
                codes.IMPORT_MISSING,
                origin.span,
                help="the name is relative to this file; shipped files are "
                'imported as "std:NAME"',
            )
        name = str(Path(unit.file.source.name).parent / origin.value)
        if origin.value.startswith("std:"):
            name = origin.value
        return self.load(read_source(path, name, self.report), chain)

    def _locate(self, source: Source, origin: tree.Text) -> Path:
        """Resolve an import, links followed, and hold it inside the project."""
        if origin.value.startswith("std:"):
            folder, name = shipped("specs"), origin.value.removeprefix("std:")
            root, path = folder.resolve(), (folder / f"{name}.arch").resolve()
        else:
            here = (source.path or Path("spec.arch").absolute()).resolve()
            if "\0" in origin.value or Path(origin.value).is_absolute():
                raise self.report.add(
                    codes.IMPORT_OUTSIDE,
                    origin.span,
                    help="name the file relative to this one",
                )
            root, path = _root(here), (here.parent / origin.value).resolve()
        if not path.is_relative_to(root):
            raise self.report.add(
                codes.IMPORT_OUTSIDE,
                origin.span,
                "this leads out of the project",
                notes=[
                    "the project is the nearest folder above with a "
                    "pyproject.toml or .git, else the folder of the spec"
                ],
                help="copy the file into the project",
            )
        return path


def _root(spec: Path) -> Path:
    for folder in spec.parents:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return spec.parent
