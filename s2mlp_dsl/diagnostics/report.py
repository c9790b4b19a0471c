"""The diagnostics of one run, and the exceptions that carry them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from s2mlp_dsl.diagnostics.record import (
    Diagnostic,
    Message,
    exit_code,
)
from s2mlp_dsl.diagnostics.text import render_text
from s2mlp_dsl.source import Span


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

    def add(self, message: Message, span: Span, **given: Any) -> AlreadyReported:
        """Record a mistake. Returns the exception to raise where work stops.

        `given` are the keywords of `Message.at`, and the fields of its templates.
        """
        self._keep(message.at(span, **given))
        return AlreadyReported()

    def copy(self) -> "Report":
        """A report that begins with what this one has, for a call of its own."""
        return Report(list(self.diagnostics), set(self._seen))

    def give_up(self) -> None:
        """Say with the last error that the rest was not checked."""
        last = self.diagnostics[-1]
        note = "after this many errors the rest is not checked"
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

    @contextmanager
    def raising(self) -> "Iterator[Report]":
        """Raise `SpecError` at the end of `with` if anything recorded is an error."""
        try:
            yield self
        except AlreadyReported:
            self.raise_errors()
            raise
        self.raise_errors()

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
