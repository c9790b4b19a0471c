"""docs/results.md and the records it is made of agree."""

import re
from pathlib import Path

import matplotlib
import pytest

from s2mlp_dsl.study.bundle import pack, unpack
from tools.study_pages import Embedded, embed

PAGE = Path(__file__).parents[2] / "docs" / "results.md"
RECORDS = sorted((PAGE.parent / "studies").glob("*.json"))
AGAIN = "python tools/study_pages.py docs/results.md"


@pytest.fixture(scope="module")
def made() -> Embedded:
    return embed(PAGE)


def test_the_page_is_what_the_records_say(made: Embedded) -> None:
    assert PAGE.read_text(encoding="utf-8") == made.text, AGAIN


def test_every_record_is_on_the_page(made: Embedded) -> None:
    assert RECORDS
    assert {path.with_suffix(".json") for path in made.pictures} == set(RECORDS)


def test_the_pictures_are_drawn_from_the_records(made: Embedded) -> None:
    """To the byte by the matplotlib that drew them, else by what they say."""
    for path, data in made.pictures.items():
        drawn = path.read_bytes()
        creator = re.search(rb"<dc:title>Matplotlib v([\d.]+)", drawn)
        assert creator is not None
        if creator[1].decode() == matplotlib.__version__:
            assert drawn == data, f"{path}: {AGAIN}"
        words = re.compile(rb"<text [^>]*>([^<]*[A-Za-z][^<]*)</text>")
        assert set(words.findall(drawn)) == set(words.findall(data)), path


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_the_records_are_small_and_whole(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    plan, results = unpack(text, record.name)
    assert plan.name == record.stem and results
    assert pack(plan, results) == text
    assert len(text) < 60_000
