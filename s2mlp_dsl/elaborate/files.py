"""Files, and the names that each of them knows."""

from dataclasses import dataclass, field
from pathlib import Path

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import (
    AlreadyReported,
    Fix,
    Label,
    Report,
    SpecError,
    Suggestion,
)
from s2mlp_dsl.diagnostics.suggest import close_to, did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.locate import UnreadableSpec, is_file, locate, read_source
from s2mlp_dsl.frontend import codes as syntax_codes
from s2mlp_dsl.frontend import parse, tree
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

__all__ = ["Declared", "Unit", "UnreadableSpec", "load_unit", "read_source"]


@dataclass(eq=False, repr=False)
class Unit:
    """A file and what its names stand for, its own and the imported ones."""

    file: tree.File
    names: dict[str, "Declared"] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)  # of names in this file
    lost: set[str] = field(default_factory=set)  # names that damage may have hidden
    circular: set[str] = field(default_factory=set)  # blocks found to reach themselves

    def hides(self, name: str) -> bool:
        """Whether damaged text may have declared this name."""
        return name in self.lost or tree.ANY_NAME in self.lost

    def own(self, kind: type | tuple[type, ...]) -> dict[str, "Declared"]:
        """Names of one kind that this file declares itself, in order."""
        return {
            name: declared
            for name, declared in self.names.items()
            if declared.unit is self and isinstance(declared.declaration, kind)
        }


@dataclass(eq=False, repr=False)
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


def load_unit(source: Source, report: Report) -> list[Unit]:
    """Read a spec and everything it imports; the spec itself comes first."""
    loader = _Loader(report, bytes=len(source.text))
    unit = loader.load(source, ())
    return [unit, *(one for one in loader.done.values() if one is not unit)]


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
        self._edition(unit)
        for declaration in unit.file.declarations:
            if isinstance(declaration, tree.Import):
                self._import(unit, declaration, chain)
            elif isinstance(declaration, Named):
                self._declare(unit, declaration.name, Declared(declaration, unit))
        return unit

    def _edition(self, unit: Unit) -> None:
        declarations = unit.file.declarations
        source = unit.file.source
        editions = [one for one in declarations if isinstance(one, tree.Edition)]
        if not editions:
            if not unit.hides("edition") and not unit.file.damaged:
                line = len(source.line(1).rstrip())
                self.report.add(
                    syntax_codes.NO_EDITION,
                    Span(source, 0, line),
                    "this should be the edition" if line else "this file is empty",
                    help="write `edition 1` as the first line",
                    fix=Fix(Span(source, 0, 0), "edition 1\n"),
                )
            return
        first, *others = editions
        if first is not declarations[0] and not unit.file.damaged:
            self.report.add(
                syntax_codes.UNEXPECTED,
                first.span,
                "the edition comes before everything else",
                help="move it to the first line",
            )
        if first.number.lexeme not in map(str, EDITIONS):
            self.report.add(
                syntax_codes.BAD_EDITION,
                first.number.span,
                f"this version knows edition {EDITIONS[-1]}",
                help=f"write `edition {EDITIONS[-1]}`",
            )
        for other in others:
            self.report.add(
                syntax_codes.UNEXPECTED,
                other.span,
                "the edition is said already",
                help="remove it",
            )

    def _declare(self, unit: Unit, name: tree.Name, declared: Declared) -> None:
        if name.id in unit.names:
            first = unit.places[name.id]
            self.report.add(
                codes.DECLARED_TWICE,
                name.span,
                secondary=[Label(first, "declared here already")],
                help="rename one of them",
            )
            return
        unit.names[name.id] = declared
        unit.places[name.id] = name.span

    def _import(
        self, unit: Unit, declaration: tree.Import, chain: tuple[Path, ...]
    ) -> None:
        wanted = declaration.names
        try:
            other = self._open(unit, declaration, chain)
        except AlreadyReported:
            unit.lost |= {one.local.id for one in wanted}
            return
        for one in wanted:
            if one.name.id in other.names:
                self._declare(unit, one.local, other.names[one.name.id])
                continue
            # What was meant is very likely used under its right name.
            unit.lost |= {one.local.id, *close_to(one.name.id, other.names)}
            if not other.hides(one.name.id):
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
        path = locate(unit.file.source, origin, self.report)
        if path in chain:
            files = [one.name for one in (*chain[chain.index(path) :], path)]
            raise self.report.add(
                codes.IMPORT_CYCLE,
                origin.span,
                " → ".join(files),
                help="move what both need into a third file",
            )
        if path in self.done:
            return self.done[path]
        if not is_file(path):
            raise self.report.add(
                codes.IMPORT_MISSING,
                origin.span,
                "no such file",
                help=_nearest(path, origin.value),
            )
        name = str(Path(unit.file.source.name).parent / origin.value)
        if origin.value.startswith("std:"):
            name = origin.value
        try:
            source = read_source(path, name, self.report)
        except SpecError as error:
            raise AlreadyReported from error  # reported for the file itself
        self.bytes += len(source.text)
        for found, name, code in (
            (len(self.done) + 1, "files", codes.FILES),
            (self.bytes, "bytes", codes.FILE_SIZE),
        ):
            most: int = getattr(limits(), name)
            if found > most:
                raise self.report.add(
                    code,
                    origin.span,
                    f"with this file there are more than {most:,} {name}",
                    notes=[how_to_raise(name)],
                    help="import only what the model needs",
                )
        return self.load(source, chain)


def _nearest(path: Path, wanted: str) -> str:
    """A file beside the missing one whose name is nearly the same."""
    try:
        beside = [one.name for one in path.parent.glob("*.arch")]
    except OSError:
        beside = []
    if close := did_you_mean(path.name, beside, few=0):
        # The fix would be the whole path, in quotes.
        if isinstance(close, Suggestion) and not wanted.startswith("std:"):
            fitting = Path(wanted).with_name(close.replacement).as_posix()
            return Suggestion(str(close), f'"{fitting}"')
        return str(close)
    return (
        'the name is relative to this file, as in `import x from "x.arch"`; shipped '
        "files are imported as `std:NAME`"
    )
