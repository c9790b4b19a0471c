"""Rewrite the studies of a page, and draw their pictures, from their records.

python tools/study_pages.py docs/results.md

A page marks where each record is shown; what is between the lines is replaced:

    <!-- study studies/directions.json -->
    the sentence, the table and the picture
    <!-- /study -->

The record is named from the folder of the page; its picture is drawn beside it.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s2mlp_dsl.study import table
from s2mlp_dsl.study.bundle import unpack
from s2mlp_dsl.study.errors import DamagedError, StudyError
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


def main(pages: list[str]) -> int:
    """Write the pages that are named, and their pictures; the exit code."""
    if not pages or pages[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    for name in pages:
        try:
            made = embed(Path(name))
            for path, data in made.pictures.items():
                path.write_bytes(data)
            Path(name).write_text(made.text, encoding="utf-8")
        except (StudyError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 4
        print(f"{name}: {len(made.pictures)} studies")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
