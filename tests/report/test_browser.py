"""The report in a real browser: silent, alone, usable, readable.

`S2MLP_DSL_SCREENSHOTS=DIR pytest tests/report/test_browser.py` keeps the pictures
that it takes of the page.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from s2mlp_dsl.report import Subject
from s2mlp_dsl.report.page import report
from s2mlp_dsl.report.runs import read_run
from tests.hostile import BOOM
from tests.pictures.picture import ROOT
from tests.pictures.test_branches import BRANCHES
from tests.pictures.test_diagram import MIXED
from tests.report.browser import LOOK, Browser, chromium
from tests.report.test_report import DEEP, HOSTILE, subject, write_run
from tests.targets.hostile import everything, labels

# One browser for the module: where tests are distributed, keep them together.
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    both = [subject(DEEP), subject(ROOT / "specs" / "digits.arch")]
    run = read_run(write_run(folder / "run"), [].append)
    (folder / "both.html").write_text(report(both, [run]), encoding="utf-8")
    mixed = report([subject(MIXED)])
    (folder / "mixed.html").write_text(mixed, encoding="utf-8")
    branches = report([subject(BRANCHES)])
    (folder / "branches.html").write_text(branches, encoding="utf-8")
    hostile = report([subject(HOSTILE)])
    (folder / "hostile.html").write_text(hostile, encoding="utf-8")
    many = report([Subject(everything())])
    (folder / "many.html").write_text(many, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["both", "hostile", "many", "mixed", "branches"])
def test_silent_and_alone(browser: Browser, pages: Path, name: str) -> None:
    page = pages / f"{name}.html"
    browser.open(page)
    said, asked = browser.logs()
    assert said == []
    assert {one for one in asked if not one.startswith("data:")} == {page.as_uri()}


def test_hostile_text_does_nothing(browser: Browser, pages: Path) -> None:
    browser.open(pages / "hostile.html")
    assert browser.run("return document.images.length") == 0
    assert browser.run("return document.scripts.length") == 2
    assert browser.find("h1").text == "script"
    assert "<script>alert(1)</script>" in browser.find(".doc").text
    # An alert would have made each of these fail.
    browser.find(".st").click()
    assert browser.logs()[0] == []


def test_two_hundred_hostile_texts_do_nothing(browser: Browser, pages: Path) -> None:
    """Names, docstrings, comments and the file's name, all in one page."""
    browser.open(pages / "many.html")
    assert browser.run("return document.images.length") == 0
    assert browser.run("return document.scripts.length") == 1
    active = "iframe, object, embed, form, base, svg script, svg foreignObject"
    assert browser.run(f"return document.querySelectorAll('{active}').length") == 0
    handlers = """return [...document.querySelectorAll("body *")].flatMap(one =>
        one.getAttributeNames().filter(name => name.startsWith("on")))"""
    assert browser.run(handlers) == []
    shown = browser.run("return document.body.textContent")
    assert "<script>alert(1)</script>" in shown and BOOM in shown
    assert all(label in shown for label in labels())
    assert browser.logs()[0] == []


def test_the_slider_changes_the_grid(browser: Browser, pages: Path) -> None:
    browser.open(pages / "both.html")
    seen = "return document.querySelectorAll('#m0-receptive-field rect.seen').length"
    counts = []
    for depth in (0, 1, 2, 4, 26):
        browser.run(
            "const slider = document.querySelector('#m0-receptive-field input');"
            "slider.value = arguments[0]; slider.dispatchEvent(new Event('input'))",
            depth,
        )
        counts.append(browser.run(seen) + 1)  # and the chosen one
    assert counts == [1, 5, 13, 41, 196]
    # By keyboard, from the middle to the corner, where less is seen.
    slider = browser.find("#m0-receptive-field input")
    grid = browser.find("#m0-receptive-field .grid")
    slider.send_keys("\ue011")  # Home
    slider.send_keys("\ue014")  # →
    assert browser.run(seen) == 4
    grid.send_keys("\ue013" * 9 + "\ue012" * 9)  # ↑ ←
    assert browser.run(seen) == 2
    said = browser.find("#m0-receptive-field-said").text
    assert said == (
        "After 1 of 36 iterations, row 1, column 1 sees 3 of 196 positions."
    )
    browser.find("#m0-receptive-field .grid rect:nth-child(16)").click()
    assert (
        "row 2, column 2 sees 5 of 196" in browser.find("#m0-receptive-field-said").text
    )


def test_sorting_sorts(browser: Browser, pages: Path) -> None:
    browser.open(pages / "both.html")
    column = (
        "return [...document.querySelectorAll('#m0 .sortable tbody tr')]"
        ".map(row => Number(row.cells[5].dataset.v))"
    )
    head = browser.find("#m0 .sortable th:nth-child(6) button")
    before = browser.run(column)
    head.click()
    assert browser.run(column) == sorted(before) != before
    head.send_keys("\ue007")  # Enter
    assert browser.run(column) == sorted(before, reverse=True)
    sort = "return document.querySelector('#m0 .sortable th:nth-child(6)').ariaSort"
    assert browser.run(sort) == "descending"


@pytest.mark.parametrize("part", ["span.st", "g.node", "tr"])
def test_a_statement_lights_up_everywhere(
    browser: Browser, pages: Path, part: str
) -> None:
    browser.open(pages / "both.html")
    path = "stack.0-35.shift"
    focus = (
        "[...document.querySelectorAll('#m0 ' + arguments[0])].find(one =>"
        " one.checkVisibility() && one.dataset.p === arguments[1]).focus()"
    )
    lit = (
        "return [...document.querySelectorAll('.lit')]"
        ".filter(one => one.checkVisibility())"
        ".map(one => [one.tagName, one.dataset.p])"
    )
    browser.run(focus, part, path)
    assert sorted(browser.run(lit)) == [["SPAN", path], ["TR", path], ["g", path]]
    browser.run("document.activeElement.blur()")
    assert browser.run(lit) == []


def test_a_head_lights_up_what_is_inside(browser: Browser, pages: Path) -> None:
    browser.open(pages / "both.html")
    focus = "[...document.querySelectorAll('#m0 [data-of]')].at(-1).focus()"
    browser.run(focus)
    lit = "return [...document.querySelectorAll('tr.lit')].map(one => one.dataset.p)"
    rows = browser.run(lit)
    assert len(rows) == 9 and all(one.startswith("stack.0-35.") for one in rows)
    assert browser.run("return document.activeElement.innerText") == "stack depth"
    # A statement does not light up the heads around it.
    browser.run(
        "document.querySelector('tr[data-p=\"stack.0-35.shift\"]')"
        ".focus({preventScroll: true})"
    )
    assert browser.run("return document.querySelectorAll('[data-of].lit').length") == 0


def test_a_region_lights_up_its_steps(browser: Browser, pages: Path) -> None:
    browser.open(pages / "branches.html")
    browser.run(
        "[...document.querySelectorAll('.st')]"
        ".find(one => one.textContent.startsWith('pad(')).focus()"
    )
    lit = "return [...document.querySelectorAll('tr.lit')].map(one => one.dataset.p)"
    assert browser.run(lit) == ["extend", "linear5", "crop"]
    boxes = "return [...document.querySelectorAll('.light g.lit')].length"
    assert browser.run(boxes) == 3


def test_the_source_scrolls_to_what_is_lit(browser: Browser, pages: Path) -> None:
    browser.open(pages / "both.html")
    seen = (
        "const pane = document.querySelector('#m0 .source').getBoundingClientRect();"
        "const text = document.querySelector('#m0 span.lit').getBoundingClientRect();"
        "return pane.top <= text.top && text.bottom <= pane.bottom"
    )
    # The last statement stands at the end of the longer file, the first before it.
    for path in ("head", "image"):
        box = (
            "[...document.querySelectorAll('#m0 .light g.node')]"
            f".find(one => one.dataset.p === '{path}').focus({{preventScroll: true}})"
        )
        browser.run(box)
        assert browser.run(seen), path


def test_a_closed_block_stands_for_its_statements(
    browser: Browser, pages: Path
) -> None:
    browser.open(pages / "mixed.html")
    path = "stack3.0-3.norm"
    row = browser.find(f'tr[data-p="{path}"]')
    browser.run("arguments[0].focus()", row)
    lit = "return [...document.querySelectorAll('.light g.lit title')]"
    titles = browser.run(f"{lit}.map(one => one.textContent)")
    assert titles == ["stack3.0-3"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_readable_and_no_wider_than_the_window(
    browser: Browser, pages: Path, tmp_path: Path, width: int, dark: bool
) -> None:
    browser.open(pages / "both.html", width, dark=dark)
    texts = browser.run(LOOK)
    assert len(texts) > 300
    assert [one for one in texts if one[1] < 4.5] == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    theme = "dark" if dark else "light"
    shown = "return document.querySelectorAll('.picture.' + arguments[0]).length"
    hidden = "light" if dark else "dark"
    visible = (
        "return [...document.querySelectorAll('.picture.' + arguments[0])]"
        ".filter(one => one.checkVisibility()).length"
    )
    assert browser.run(visible, theme) == browser.run(shown, theme) == 4
    assert browser.run(visible, hidden) == 0
    kept = Path(os.environ.get("S2MLP_DSL_SCREENSHOTS") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    picture = kept / f"report-{width}-{theme}.png"
    browser.screenshot(picture)
    image = Image.open(picture)
    assert image.width == width
    assert len(image.convert("RGB").getcolors(1 << 24) or []) > 50


def test_the_theme_button(browser: Browser, pages: Path) -> None:
    browser.open(pages / "both.html")
    paper = "return getComputedStyle(document.body).backgroundColor"
    button = browser.find("#theme")
    papers = []
    for _ in range(4):
        papers.append(browser.run(paper))
        button.click()
    light, dark = "rgb(255, 255, 255)", "rgb(22, 24, 28)"
    assert papers == [light, light, dark, light]


def test_on_paper_pictures_fit_a_sheet(
    browser: Browser, pages: Path, tmp_path: Path
) -> None:
    browser.open(pages / "both.html", 740, dark=True)
    media = {"media": "print", "features": []}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    heights = browser.run(
        "return [...document.querySelectorAll('.picture svg')]"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert 700 < max(heights) < 21.1 / 2.54 * 96
    assert browser.run("return getComputedStyle(document.body).color") == (
        "rgb(26, 26, 26)"
    )
    assert not browser.find("#theme").is_displayed()
    kept = Path(os.environ.get("S2MLP_DSL_SCREENSHOTS") or tmp_path)
    browser.printed(kept / "report.pdf")
    assert (kept / "report.pdf").read_bytes().startswith(b"%PDF")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
