"""`check --fix`: certain fixes written into a spec, until there are no more."""

import difflib
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.diagnostics import Report, SpecError, fixed, fixes_for
from s2mlp_dsl.elaborate.files import read_source
from s2mlp_dsl.elaborate.spec import load_source
from s2mlp_dsl.source import Source

_ROUNDS = 10  # a fixed mistake may have hidden others


@dataclass(frozen=True)
class FixedFile:
    """A spec before and after; `count` is how many fixes there are."""

    before: Source
    after: Source
    count: int

    @property
    def difference(self) -> str:
        """A unified diff, empty where nothing changes."""
        lines = difflib.unified_diff(
            self.before.text.splitlines(keepends=True),
            self.after.text.splitlines(keepends=True),
            self.before.name,
            f"{self.before.name} (fixed)",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write the file, if it changes; its mark and its line ends stay."""
        path = self.before.path
        if path is None or not self.count:
            return
        mark = "\ufeff" if path.read_bytes().startswith(b"\xef\xbb\xbf") else ""
        path.write_bytes((mark + self.after.text).encode())
        plural = "es" if self.count > 1 else ""
        print(
            f"wrote {self.count} fix{plural} into {self.before.name}", file=sys.stderr
        )


def fix_file(path: Path) -> FixedFile:
    """The certain fixes of a spec. Only the file itself changes, not its imports.

    A text without mistakes has no fixes, so nothing that is right changes.
    """
    before = source = read_source(path, str(path), Report())
    count = 0
    for _ in range(_ROUNDS):
        fixes = fixes_for(source, _mistakes(source))
        if not fixes:
            break
        count += len(fixes)
        source = Source(source.name, fixed(source, fixes), source.path)
    return FixedFile(before, source, count)


def _mistakes(source: Source) -> Report:
    spec = load_source(source)
    # What is found is in the report, whatever ends the work.
    with suppress(SpecError):
        check_spec(spec)
    return spec.report
