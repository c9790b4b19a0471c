"""Whatever a user calls a thing is text where it is shown."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from s2mlp_dsl import escape

HOSTILE = [
    "price $\\foo{ and $",
    "\x1b]0;pwned\x07\x1b[31mred",
    "=cmd|'/C calc'!A0",
    "<script>alert(1)</script>",
    "[a](javascript:alert(1))",
    "a | b `c` *d* _e_",
    "\\input{/etc/passwd}",
    "\u202etxt.exe",
    "two\nlines\r\n",
    "$",
    "$$",
    "\\$",
    "_hidden",
]
ANY = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


@given(ANY)
def test_nothing_steers_a_terminal(text: str) -> None:
    shown = escape.plain(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("S²-MLP, depth = 1", "train_fraction = 5%", "a-b (c)", "−3"):
        assert escape.plain(name) == escape.markdown(name) == name
        assert escape.csv_cell(name) == escape.matplotlib_text(name) == name
    assert escape.csv_cell("-0.5") == "-0.5" and escape.csv_cell("+5%") == "+5%"


@given(ANY)
def test_markdown_has_no_tag_link_or_cell(text: str) -> None:
    escaped = escape.markdown(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>|`\[\]*]", escaped)
    assert "\n" not in escaped


@given(ANY)
def test_a_spreadsheet_sees_no_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape.csv_cell(text)])
    (cell,) = next(csv.reader(io.StringIO(file.getvalue())), [""])
    assert not re.match(r"[=@\t\r]|[-+](?![\d.,_]+%?$)", cell)


@given(ANY)
def test_latex_has_no_commands_of_the_users(text: str) -> None:
    ours = r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater)\{\}"
    rest = re.sub(
        rf"{ours}|\\textsuperscript\{{2\}}|\$\\(pm|times)\$", "", escape.latex(text)
    )
    assert not re.search(r"(?<!\\)[&%$#_{}~^]|\\[A-Za-z]", rest)


@pytest.mark.parametrize("text", HOSTILE)
def test_plots_show_it(text: str) -> None:
    figure = Figure()
    figure.subplots().set_title(escape.matplotlib_text(text))
    figure.savefig(io.BytesIO(), format="svg")
