"""Studies inside a page: what stands between two markers is made of a record.

    <!-- study studies/directions.json -->
    the sentence, the table and the picture
    <!-- /study -->

The record is named from where the page lies; its picture is drawn beside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s2mlp_dsl.study import table
from s2mlp_dsl.study.bundle import unpack
from s2mlp_dsl.study.errors import DamagedError
from s2mlp_dsl.study.page import facts, machines, missing
from s2mlp_dsl.study.plots import draw
from s2mlp_dsl.study.summary import Summary, summarise

_BLOCK = re.compile(r"(<!-- study (\S+) -->\n)(.*?)(<!-- /study -->)", re.DOTALL)


@dataclass(frozen=True)
class Embedded:
    """A page with its blocks made anew, and the pictures that they show."""

    text: str
    pictures: dict[Path, bytes]


def embed(page: Path) -> Embedded:
    """Make all blocks of a page. Raises OSError, `DamagedError` and `NoPlots`."""
    text = page.read_text(encoding="utf-8")
    pictures: dict[Path, bytes] = {}

    def block(found: re.Match[str]) -> str:
        record = page.parent / found[2]
        summary = summarise(*unpack(record.read_text(encoding="utf-8"), found[2]))
        pictures[record.with_suffix(".svg")] = draw(summary, "svg")
        name = Path(found[2]).with_suffix(".svg").as_posix()
        return found[1] + "\n".join(_lines(summary, name)) + "\n" + found[4]

    opened, made = text.count("<!-- study "), _BLOCK.sub(block, text)
    if opened != len(pictures):
        raise DamagedError(f"{page}: a block has no `<!-- /study -->`, or stands twice")
    return Embedded(made, pictures)


def _lines(summary: Summary, picture: str) -> Iterator[str]:
    (sentence,) = facts(summary)
    computed = "; ".join(machines(summary))
    yield f"{sentence} {computed}." if computed else sentence
    yield ""
    yield table.markdown(summary).rstrip()
    yield ""
    yield f"![{summary.plan.name}]({picture})"
    if undone := list(missing(summary)):
        yield from ("", *undone)
