"""What a study says: summaries, tables, pictures, pages, one record."""

import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from s2mlp_dsl.study import plots, table
from s2mlp_dsl.study.along import number, numeric_key, series_of
from s2mlp_dsl.study.bundle import pack, unpack
from s2mlp_dsl.study.columns import percent
from s2mlp_dsl.study.errors import DamagedError
from s2mlp_dsl.study.outputs import write_outputs
from s2mlp_dsl.study.page import page
from s2mlp_dsl.study.records import PLAN, RESULTS
from s2mlp_dsl.study.store import write
from s2mlp_dsl.study.summary import Summary, summarise
from tools.study_pages import embed, main

from .making import LISTED, NUMBERS, numbers, planned, result, words

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarise(*words())


def test_means_deviations_and_gaps(summary: Summary) -> None:
    four = summary.lines[0]
    assert four.test is not None and four.gap is not None
    assert four.test.mean == pytest.approx(0.92)
    assert four.test.deviation == pytest.approx(0.02)  # √(2 · 0.02² / (3 − 1))
    assert four.gap.mean == pytest.approx(0.03)
    assert four.gap.values == pytest.approx((0.05, 0.03, 0.01))
    assert four.speed is not None and four.speed.mean == 1001
    assert (four.done, four.missing, four.seconds) == ((0, 1, 2), 0, 9)


def test_what_is_missing_and_what_failed(summary: Summary) -> None:
    _, none, wide, _ = summary.lines
    assert none.test is not None and none.test.deviation is None
    assert (none.done, none.missing) == ((0,), 1)
    ((seed, failed),) = none.failed
    assert (seed, failed.message) == (1, "the loss is not finite at step 3")
    assert (wide.test, wide.gap, wide.speed, wide.missing) == (None, None, None, 3)


def test_a_row_that_shares_its_runs_counts_once(summary: Summary) -> None:
    four, *_, same = summary.lines
    assert same.row.runs == four.row.key and same.test == four.test
    assert (summary.planned, summary.done, summary.failed) == (9, 4, 1)
    assert summary.seconds == 12
    assert [place.machine for place in summary.places] == ["A processor, Linux"]


def test_results_of_another_model_do_not_count() -> None:
    plan, results = words()
    strange = results[0].model_copy(update={"function_hash": "0" * 64})
    assert summarise(plan, [strange]).done == 0


FORMS = {
    "txt": table.text,
    "md": table.markdown,
    "csv": table.as_csv,
    "json": table.as_json,
    "tex": table.latex,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("study", [words, numbers])
def test_every_format(
    form: str,
    study: Callable[[], tuple],  # type: ignore[type-arg]
    golden: Callable[[Path, str], None],
) -> None:
    text = FORMS[form](summarise(*study()))
    golden(GOLDEN / f"{study.__name__}.{form}", text)


def test_csv_and_json_hold_the_same_figures(summary: Summary) -> None:
    rows = list(csv.DictReader(io.StringIO(table.as_csv(summary))))
    data = json.loads(table.as_json(summary))["rows"]
    for one, other in zip(rows, data, strict=True):
        for key, value in one.items():
            assert value == ("" if other[key] is None else str(other[key])), key
    assert data[0]["seeds"] == {"0": 0.9, "1": 0.92, "2": 0.94}
    assert data[1]["failures"] == {"1": "the loss is not finite at step 3"}


def test_latex_escapes(summary: Summary) -> None:
    text = table.latex(summary)
    assert r"no\_shift &" in text and r"92.0 $\pm$ 2.0 &" in text
    assert r"S\textsuperscript{2}" in text and r"test, \% &" in text
    cells = {line.count(" & ") for line in text.splitlines() if line.endswith(r" \\")}
    assert len(cells) == 1


def test_no_minus_before_zero() -> None:
    plan = planned(LISTED)
    row = plan.rows[0]
    shown = summarise(plan, [result(plan, row, 0, 0.9001, 0.9)]).lines[0]
    assert percent(shown.gap) == "0.0"


def texts_of(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("}text")]


def test_bars_are_labelled_and_the_same_each_time(summary: Summary) -> None:
    svg = plots.draw(summary, "svg")
    assert svg == plots.draw(summary, "svg")
    assert not re.search(rb"<dc:date>", svg)
    said = texts_of(svg)
    assert {row.label for row in summary.plan.rows} <= set(said)
    assert {"test, %", "training", "printed", plots.NOTHING_YET} <= set(said)


def test_lines_over_the_numbers_as_written() -> None:
    drawn = summarise(*numbers())
    assert numeric_key(drawn) == "depth"
    names = [one.name for one in series_of(drawn, "depth")]
    assert names == [
        "S²-MLP, train_fraction = 5%",
        "S²-MLP, train_fraction = 100%",
        "none, train_fraction = 5%",
        "none, train_fraction = 100%",
    ]
    assert {*names, "depth", "1", "3"} <= set(texts_of(plots.draw(drawn, "svg")))


def test_listed_cases_lie_along_their_argument() -> None:
    plan = planned(LISTED)
    drawn = summarise(plan, [result(plan, plan.rows[1], 0, 0.9, 0.95)])
    assert numeric_key(drawn) == "depth"
    (one,) = series_of(drawn, "depth")
    assert [(x, text) for x, text, _ in one.points] == [(1, "1"), (4, "4")]
    said = set(texts_of(plots.draw(drawn, "svg")))
    assert {"printed", "test", "depth"} <= said


def test_shares_are_numbers_and_words_are_not() -> None:
    assert number("5%") == number("1/20")
    assert number("1_000") == 1000
    assert number("shift(cross)") is None and number("1/0") is None
    only = NUMBERS.replace("vary depth = [1, 3]", "vary via = [none, cross]")
    drawn = summarise(
        planned(only.replace('    case "none" tiny(via = none)\n', "")), []
    )
    assert numeric_key(drawn) == "train_fraction"


def test_png(summary: Summary) -> None:
    picture = Image.open(io.BytesIO(plots.draw(summary, "png")))
    assert picture.format == "PNG" and picture.width > 800
    colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours is not None and len(colours) > 10


def test_without_matplotlib_it_says_how(
    summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(plots.NoPlots, match=r"pip install 's2mlp-dsl\[plots\]'"):
        plots.draw(summary, "svg")


def test_the_page(summary: Summary, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "words.page.md", page(summary, "plot.svg"))


def test_the_record_holds_the_study() -> None:
    plan, results = words()
    text = pack(plan, results)
    assert pack(*unpack(text, "x")) == text
    again, found = unpack(text, "x")
    assert again == plan
    assert sorted(map(str, found)) == sorted(map(str, results))
    assert len(text.splitlines()) < 40
    for damaged in ("", "{}", text.replace('"row": "wide"', ""), text[:-20]):
        if damaged != text:
            with pytest.raises(DamagedError, match=r"record\.json is not a study"):
                unpack(damaged, "record.json")


def test_all_outputs_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, results = words()
    write(tmp_path / PLAN, plan)
    for one in results:
        write(tmp_path / RESULTS / f"{one.name}.json", one)
    assert write_outputs(tmp_path) == []
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    tables = {f"table.{form}" for form in FORMS}
    others = {"page.md", "plot.svg", "plot.png", "record.json", PLAN}
    assert names == tables | others
    assert "![words](plot.svg)" in (tmp_path / "page.md").read_text()
    again, found = unpack((tmp_path / "record.json").read_text(), "record.json")
    assert summarise(again, found) == summarise(plan, results)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    (said,) = write_outputs(tmp_path)
    assert said.startswith("no plots")
    assert "![words]" not in (tmp_path / "page.md").read_text()


def test_blocks_of_a_page_are_made_of_records(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/words.json").write_text(pack(*words()), encoding="utf-8")
    page = tmp_path / "page.md"
    block = "<!-- study kept/words.json -->\nold\n<!-- /study -->"
    page.write_text(f"Before.\n\n{block}\n\nAfter.\n", encoding="utf-8")
    made = embed(page)
    assert made.text.startswith(
        "Before.\n\n<!-- study kept/words.json -->\nStudy `words`"
    )
    assert made.text.endswith("3 runs not done\n<!-- /study -->\n\nAfter.\n")
    assert "| no_shift | 30.0 |" in made.text and "\nold\n" not in made.text
    assert "![words](kept/words.svg)" in made.text
    ((path, picture),) = made.pictures.items()
    assert path == tmp_path / "kept/words.svg" and "no_shift" in texts_of(picture)
    assert main([str(page)]) == 0
    assert page.read_text(encoding="utf-8") == made.text == embed(page).text
    assert path.read_bytes() == picture
    page.write_text(block.replace("<!-- /study -->", ""), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"has no `<!-- /study -->`"):
        embed(page)
    assert (main([]), main([str(page)]), main([str(tmp_path / "no.md")])) == (2, 4, 4)
