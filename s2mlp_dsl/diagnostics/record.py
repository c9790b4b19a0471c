"""What can be wrong with a spec, as data.

A `Code` is a kind of mistake with a stable number; a `Diagnostic` is one
occurrence of it. Renderers turn diagnostics into text or JSON; `explain`
prints the long text of a code, kept in `texts/CODE.md`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from s2mlp_dsl.frozen import frozen
from s2mlp_dsl.source import Span

Severity = Literal["error", "note"]

_TEXTS = Path(__file__).resolve().parent / "texts"


@frozen
class Code:
    """A kind of mistake, or of note: its stable number and its title.

    `exit_code` is what a command ends with where nothing else is wrong: 1 where the
    spec is to be mended, 4 where it is the installation.
    """

    number: str
    title: str
    severity: Severity = "error"
    exit_code: int = 1

    def explanation(self) -> str:
        """The long text: what it means, a wrong example and a right one."""
        return (_TEXTS / f"{self.number}.md").read_text(encoding="utf-8")


CODES: dict[str, Code] = {}


def code(
    number: str, title: str, severity: Severity = "error", exit_code: int = 1
) -> Code:
    """Declare a code. Each phase declares its own, beside its passes."""
    if number in CODES:
        raise ValueError(f"{number} is declared twice")
    CODES[number] = Code(number, title, severity, exit_code)
    return CODES[number]


@frozen
class Label:
    """A span and what to say beside its carets (may be empty)."""

    span: Span
    text: str = ""


@frozen
class Fix:
    """What to write in place of a span. Made only where it is certain."""

    span: Span
    replacement: str


class Suggestion(str):
    """A help line that names what to write in place of the primary span."""

    replacement: str

    def __new__(cls, text: str, replacement: str) -> "Suggestion":
        made = super().__new__(cls, text)
        made.replacement = replacement
        return made


@frozen
class Diagnostic:
    """One mistake at one place."""

    code: Code
    primary: Label
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None

    @property
    def message(self) -> str:
        """Title, and the primary label where there is one, in a sentence."""
        label = self.primary.text
        return f"{self.code.title}: {label}" if label else self.code.title

    @property
    def identity(self) -> tuple[str, str, int, int]:
        """Two diagnostics with the same identity have the same cause."""
        span = self.primary.span
        return (self.code.number, span.source.name, span.start, span.end)


def exit_code(diagnostics: Iterable["Diagnostic"]) -> int:
    """What a command ends with: 0 without errors; a spec's come before others."""
    errors = (one.code for one in diagnostics if one.code.severity == "error")
    return min((one.exit_code for one in errors), default=0)


class SpecError(Exception):
    """The spec is wrong. Carries at least one diagnostic of severity error."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    @property
    def exit_code(self) -> int:
        """What a command ends with: a mistake in the spec comes first."""
        return exit_code(self.diagnostics)

    def __str__(self) -> str:
        from s2mlp_dsl.diagnostics.text import render_text

        return "\n" + "\n".join(render_text(one) for one in self.diagnostics)


class AlreadyReported(Exception):
    """Work on something already reported as wrong. Never reaches a user."""


@dataclass
class Report:
    """Collects the diagnostics of one run, each cause once."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, str, int, int]] = field(default_factory=set)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.diagnostics)

    def add(
        self,
        code: Code,
        span: Span,
        label: str = "",
        *,
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,
        fix: Fix | None = None,
    ) -> AlreadyReported:
        """Record a mistake. Returns the exception to raise where work stops."""
        if fix is None and isinstance(help, Suggestion):
            fix = Fix(span, help.replacement)
        primary = Label(span, label)
        self._keep(Diagnostic(code, primary, tuple(secondary), tuple(notes), help, fix))
        return AlreadyReported()

    def give_up(self) -> None:
        """Say with the last mistake that the rest was not looked at."""
        last = self.diagnostics[-1]
        note = f"after {len(self.diagnostics)} mistakes the rest is not looked at"
        self.diagnostics[-1] = replace(last, notes=(*last.notes, note))

    def extend(self, other: "Report") -> None:
        """Take over what another report has."""
        for one in other:
            self._keep(one)

    def _keep(self, one: Diagnostic) -> None:
        if one.identity not in self._seen:
            self._seen.add(one.identity)
            self.diagnostics.append(one)

    @property
    def errors(self) -> list[Diagnostic]:
        return [one for one in self.diagnostics if one.code.severity == "error"]

    def raise_errors(self) -> None:
        """Raise `SpecError` if anything recorded so far is an error."""
        if self.errors:
            raise SpecError(self.sorted())

    def sorted(self) -> list[Diagnostic]:
        """In the order of the text: by file as first met, then by position."""
        files: dict[str, int] = {}
        for one in self.diagnostics:
            files.setdefault(one.primary.span.source.name, len(files))
        return sorted(
            self.diagnostics,
            key=lambda one: (
                files[one.primary.span.source.name],
                one.primary.span.start,
            ),
        )
