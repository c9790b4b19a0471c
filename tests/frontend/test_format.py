"""`fmt`: one layout, the same tree, every comment kept."""

import dataclasses
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import parse, tree
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.source import Source, Span

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.arch"))

UNTIDY = '''edition   1   # first
# about
import a,b as c from "x.arch"
import d from "y.arch"  # d
let   q = [1,2, # one
   3]
"""doc
 two, in "quotes" """
# lead
shift s( # par {
  k = 3, ) { # open {
  edge keep  # e
  # before
  1/4 right step*2 left 2


  rest   stay
  # last
}
shift t { edge zeros
interleave
each right -1..1 down -(2-1) .. 1 }
model m(w:number=3) { image(3, 8, 8)
  stem : patch( 2 ,w )
  stack 3 as i { residual { linear( dim*(2+1) ) # lin
      gelu() } } then 4 { a }
}
model n=m ( w = [1,2][0] )
claim m { params( without = [ head , op(norm) ] )== 5 # five
 macs(without = [aaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbb, ccccccccc]) ~= 105G}
recipe r { data=digits
  augment = [flip, # of the coin
  erasing(-0.25)]
}
study z of m { recipe=r
vary w = [1,2]
case "(a)" m(w=2) printed [ 87.1,97.1 ] }
# end'''


def read(text: str) -> tree.File:
    report = Report()
    file = parse(Source("x.arch", text), report)
    assert not report.errors, [str(one.message) for one in report.errors]
    return file


def bare(node: Any) -> Any:
    """A tree without its spans."""
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    if dataclasses.is_dataclass(node) and not isinstance(node, Span):
        fields = [one.name for one in dataclasses.fields(node) if one.name != "span"]
        return (type(node).__name__, *(bare(getattr(node, name)) for name in fields))
    return node


def content(file: tree.File) -> Any:
    return bare(file.declarations), sorted(c.span.text.strip() for c in file.comments)


def hold(text: str) -> str:
    """Formatting keeps tree and comments, and once is enough."""
    before = read(text)
    formatted = format_file(before)
    after = read(formatted)
    assert content(after) == content(before)
    assert format_file(after) == formatted
    return formatted


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_specs_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert hold(text) == text


def test_untidy_text() -> None:
    formatted = hold(UNTIDY)
    assert "    linear(dim * (2 + 1))  # lin\n" in formatted
    assert formatted.endswith("# end\n")
    assert max(map(len, formatted.splitlines())) <= 88


def test_crlf_and_mark_are_read() -> None:
    assert hold(UNTIDY.replace("\n", "\r\n")) == hold(UNTIDY)


def test_empty_file() -> None:
    assert format_file(read("")) == ""
    assert format_file(read("\n\n# only\n\n")) == "# only\n"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([UNTIDY, *(path.read_text() for path in SPECS)]), st.integers())
def test_comments_and_spaces_anywhere(text: str, seed: int) -> None:
    """Comments at ends of lines, lines of their own, blanks and tabs."""
    chance = random.Random(seed)
    lines = []
    in_doc = False
    for line in text.splitlines():
        quotes = line.count('"""') % 2 == 1
        if in_doc or quotes:
            in_doc ^= quotes
            lines.append(line)
            continue
        if chance.random() < 0.2:
            lines.append("  " * chance.randrange(4) + f"# note {{ {len(lines)}")
        if chance.random() < 0.2:
            line = f"{line}\t # beside ( {len(lines)}" if "#" not in line else line
        lines.append(" " * chance.randrange(3) + line)
        if chance.random() < 0.2:
            lines += [""] * chance.randrange(1, 4)
    hold("\n".join(lines))


def fmt(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", "fmt", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command(tmp_path: Path) -> None:
    file = tmp_path / "x.arch"
    file.write_text(UNTIDY)
    assert fmt("--check", str(file)).returncode == 1
    shown = fmt("--diff", str(file))
    assert shown.returncode == 1
    assert "+edition 1  # first" in shown.stdout
    assert file.read_text() == UNTIDY
    assert fmt(str(file)).returncode == 0
    assert fmt("--check", str(file)).returncode == 0
    assert fmt("-", given=UNTIDY).stdout == file.read_text()


def test_a_file_that_does_not_parse_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.arch"
    file.write_text("edition 1\nmodel m {\n")
    done = fmt(str(file))
    assert done.returncode == 1
    assert "A0105" in done.stderr
    assert file.read_text() == "edition 1\nmodel m {\n"
