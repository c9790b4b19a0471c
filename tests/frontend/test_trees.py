"""Print and parse agree, over syntax trees that are made up."""

import dataclasses
import random
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import parse, tree
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.source import Source
from tests.frontend.trees import (
    declarations,
    files,
    shift_items,
    statements,
    study_items,
)

OPTIONS = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


def read(text: str) -> tree.File:
    report = Report()
    file = parse(Source("x.arch", text), report)
    assert not report.diagnostics, [one.message for one in report]
    return file


def plain(node: Any) -> Any:
    """A tree without spans and depths."""
    if isinstance(node, tuple):
        return tuple(map(plain, node))
    if dataclasses.is_dataclass(node):
        fields = [one.name for one in dataclasses.fields(node)]
        kept = [getattr(node, name) for name in fields if name not in ("span", "depth")]
        return (type(node).__name__, *map(plain, kept))
    return node


def comments_of(file: tree.File) -> list[str]:
    return sorted(one.span.text.rstrip() for one in file.comments)


@settings(max_examples=100, **OPTIONS)
@given(files)
def test_print_then_parse(made: tree.File) -> None:
    """`parse(print(x)) == x`, and printing again gives the same text."""
    text = format_file(made)
    file = read(text)
    assert plain(file.declarations) == plain(made.declarations)
    assert format_file(file) == text


@settings(max_examples=80, **OPTIONS)
@given(files, st.integers())
def test_with_comments(made: tree.File, seed: int) -> None:
    """Comments at the ends of lines and on lines of their own all stay."""
    chance = random.Random(seed)
    lines = []
    in_doc = False
    for number, line in enumerate(format_file(made).splitlines()):
        quotes = line.count('"""') % 2 == 1
        if in_doc or quotes or '"""' in line:
            in_doc ^= quotes
            lines.append(line)
            continue
        if chance.random() < 0.3:
            lines.append(" " * chance.randrange(9) + f"# above {{ {number}")
        beside = f"\t# beside ( {number}" if chance.random() < 0.3 else ""
        lines.append(line + beside)
    commented = read("\n".join(lines))
    assert plain(commented.declarations) == plain(made.declarations)
    printed = format_file(commented)
    again = read(printed)
    assert plain(again.declarations) == plain(commented.declarations)
    assert comments_of(again) == comments_of(commented)
    assert format_file(again) == printed


def test_every_node_is_made() -> None:
    """The strategy knows every node of the tree."""
    kinds = {
        kind.__name__
        for kind in vars(tree).values()
        if isinstance(kind, type)
        and issubclass(kind, tree.Node)
        and not kind.__subclasses__()
    }
    found: set[str] = set()

    @settings(max_examples=300, database=None, derandomize=True, **OPTIONS)
    @given(st.one_of(declarations, shift_items, statements, study_items))
    def collect(node: Any) -> None:
        found.update(re.findall(r"'([A-Z]\w+)'", repr(plain(node))))

    collect()
    assert kinds - {"Comment"} <= found
