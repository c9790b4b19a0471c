"""What can be wrong with a spec, as data.

A `Code` is a kind of mistake with a stable number. A `Message` is one way to say it: a
template with fields, kept in `catalogue/`. A `Diagnostic` is one occurrence. Renderers
turn diagnostics into text or JSON; `explain` prints the long text of a code, kept in
`texts/CODE.md`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2mlp_dsl.source import Span

Severity = Literal["error", "note"]

_TEXTS = Path(__file__).resolve().parent / "texts"


@dataclass(frozen=True, slots=True)
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

    def says(
        self,
        label: str = "",
        *,
        related: str | tuple[str, ...] = (),
        notes: str | tuple[str, ...] = (),
        help: str | None = None,
    ) -> "Message":
        """A message of this code; see `Message` for the templates."""
        one = (related,) if isinstance(related, str) else related
        said = (notes,) if isinstance(notes, str) else notes
        return Message(self, label, one, said, help)


@dataclass(frozen=True, slots=True)
class Message:
    """One way to say a code, as templates that `str.format` fills in.

    `label` is printed beside the carets, each of `related` beside another place; if
    there is one template, it is for all of them. The site that reports it gives the
    spans and a keyword for each field, such as `channels` for `{channels:,} channels`.
    """

    code: Code
    label: str = ""
    related: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None

    def at(
        self,
        span: Span,
        *,
        related: "Span | Sequence[Span]" = (),
        secondary: "Iterable[Label]" = (),
        notes: Iterable[str] = (),
        help: str | None = None,
        fix: "Fix | str | None" = None,
        **fields: object,
    ) -> "Diagnostic":
        """The diagnostic at a place.

        `help` replaces that of the template where it is computed, as `did_you_mean`
        does; `secondary` and `notes` are added to those of the templates. `fix` is
        what to write in place of `span`, or elsewhere.
        """
        spans = (related,) if isinstance(related, Span) else related
        texts = self.related * len(spans) if len(self.related) == 1 else self.related
        labels = [
            Label(place, text.format(**fields))
            for place, text in zip(spans, texts, strict=True)
        ]
        if help is None and self.help is not None:
            help = self.help.format(**fields)
        if fix is None and isinstance(help, Suggestion):
            fix = help.replacement
        if isinstance(fix, str):
            fix = Fix(span, fix)
        return Diagnostic(
            self.code,
            Label(span, self.label.format(**fields)),
            (*labels, *secondary),
            (*(note.format(**fields) for note in self.notes), *notes),
            help,
            fix,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A span and what to say beside its carets (may be empty)."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
