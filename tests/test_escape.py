"""Whatever a user calls a thing is text where it is shown, read by a parser of it."""

import csv
import html
import io
import re
import unicodedata
from collections.abc import Callable
from functools import reduce
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from matplotlib.figure import Figure

from s2mlp_dsl import escape
from tests.hostile import HOSTILE

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
Check = Callable[[str], None]


def all_and_any(check: Check) -> Check:
    """With each hostile text, and with any."""
    anything = given(st.text(max_size=30))(check)
    return reduce(lambda made, text: example(text)(made), HOSTILE, anything)


def test_there_are_two_hundred() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 200


@all_and_any
def test_nothing_steers_a_terminal(text: str) -> None:
    shown = escape.plain(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {*map(unicodedata.category, shown)}
    shown.encode()


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("S²-MLP, depth = 1", "train_fraction = 5%", "a-b (c)", "−3"):
        assert escape.plain(name) == escape.markdown(name) == name
        assert escape.csv_cell(name) == escape.matplotlib_text(name) == name
        assert escape.xml(name) == escape.markdown_line(name) == name
    assert escape.csv_cell("-0.5") == "-0.5" and escape.csv_cell("+5%") == "+5%"
    assert escape.visible("می\u200cخواهم") == "می\u200cخواهم"


def texts(tokens: list[Token]) -> str:
    """The text of inline tokens, which have nothing else."""
    assert {one.type for one in tokens} <= {"text", "text_special"}, tokens
    return "".join(one.content for one in tokens)


@all_and_any
def test_markdown_is_text_in_a_cell(text: str) -> None:
    table = f"| a | b |\n| - | - |\n| {escape.markdown(text)} | rest |\n"
    tokens = MARKDOWN.parse(table)
    cells = [one for one in tokens if one.type == "inline"]
    assert [one.content for one in cells[:2]] == ["a", "b"] and len(cells) == 4
    assert texts(cells[2].children or []) == escape.plain(text).strip()
    assert texts(cells[3].children or []) == "rest"


@all_and_any
def test_markdown_is_text_in_a_line(text: str) -> None:
    tokens = MARKDOWN.parse(f"{escape.markdown_line(text)}\n\nrest\n")
    kinds = ["paragraph_open", "inline", "paragraph_close"]
    shown = " ".join(text.split())
    assert [one.type for one in tokens] == kinds * (2 if shown else 1)
    if shown:
        assert texts(tokens[1].children or []) == escape.plain(shown)


@all_and_any
def test_markdown_is_code_or_text(text: str) -> None:
    (_, inline, _) = MARKDOWN.parse(f"of {escape.markdown_code(text)}.")
    *_, last = parts = inline.children or []
    assert last.content.endswith(".")
    shown = "".join(one.content for one in parts).removeprefix("of ")
    assert {one.type for one in parts} <= {"text", "text_special", "code_inline"}
    assert shown.removesuffix(".").split() == escape.plain(text).split()


@all_and_any
def test_a_spreadsheet_sees_no_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape.csv_cell(text)])
    (cell,) = next(csv.reader(io.StringIO(file.getvalue())), [""])
    assert not re.match(r"\s*([=@＝＋－＠]|[-+](?![\d.,_]+%?$))", cell)
    assert cell.removeprefix("'") == escape.plain(text).removeprefix("'")


OURS = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textasciigrave{}": "`",
    r"\textsuperscript{2}": "²",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"$\times$": "×",
    r"$\pm$": "±",
    "--": "–",
    "-{}": "-",
    "–{}": "–",
    "{[}": "[",
    "{*}": "*",
    **{f"\\{one}": one for one in "&%$#_{}"},
}


@all_and_any
def test_latex_is_text(text: str) -> None:
    """Nothing is left that means something to LaTeX, and the text is whole."""
    tokens = "|".join([*map(re.escape, OURS), r"[^\\&%$#_{}~^\[*`]"])
    written = escape.latex(text).replace("--{}", "–{}")
    assert re.fullmatch(rf"(?:{tokens})*", written)
    found = re.findall(tokens, written)
    assert "".join(OURS.get(one, one) for one in found) == escape.plain(text)


@all_and_any
def test_xml_and_html_are_text(text: str) -> None:
    written = escape.xml(text)
    root = ElementTree.fromstring(f'<a b="{written}">{written}</a>')
    assert root.text == (escape.visible(text) or None)
    assert root.attrib == {"b": escape.visible(text)}
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", escape.visible(text))
    assert html.unescape(written) == escape.visible(text)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_plots_show_them_all() -> None:
    figure = Figure(figsize=(8, len(HOSTILE) / 6))
    for place, text in enumerate(HOSTILE):
        figure.text(0, place / len(HOSTILE), escape.matplotlib_text(text))
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format="svg")
    root = ElementTree.fromstring(file.getvalue())
    shown = {
        "".join(one.itertext()).strip()
        for one in root.iter()
        if one.tag.endswith("text")
    }
    assert {escape.plain(text).strip() for text in HOSTILE} <= shown | {""}
