"""`check --fix`: apply certain fixes to a spec until none is left."""

from dataclasses import dataclass
from pathlib import Path

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.cli.output import unified_diff
from s2mlp_dsl.diagnostics import Report, fixed, fixes_for
from s2mlp_dsl.elaborate.files import read_source
from s2mlp_dsl.elaborate.spec import load_source
from s2mlp_dsl.files import replace_file
from s2mlp_dsl.source import Source

_ROUNDS = 10  # a fixed mistake may have hidden others


@dataclass(frozen=True)
class FixedFile:
    """A spec before and after `count` fixes."""

    path: Path
    before: Source
    after: Source
    count: int

    @property
    def difference(self) -> str:
        """A unified diff, empty without fixes."""
        return unified_diff(self.before, self.after.text, "fixed")

    def write(self) -> None:
        """Write the file. A byte order mark and the line ends are kept."""
        marked = self.path.read_bytes().startswith(b"\xef\xbb\xbf")
        encoding = "utf-8-sig" if marked else "utf-8"
        replace_file(self.path, self.after.text.encode(encoding))


def fix_file(path: Path) -> FixedFile:
    """Find the certain fixes of a spec, imported files aside.

    A spec without errors has no fixes.
    """
    before = source = read_source(path, str(path), Report())
    count = 0
    for _ in range(_ROUNDS):
        fixes = fixes_for(source, check_spec(load_source(source)).report)
        if not fixes:
            break
        count += len(fixes)
        source = Source(source.name, fixed(source, fixes), source.path)
    return FixedFile(path, before, source, count)
