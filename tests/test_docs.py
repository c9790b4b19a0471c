"""The examples of the pages are checked, and what a page lists is complete."""

import re
import shlex
from pathlib import Path

import click
import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.cli.app import app
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.recipes import resolve_recipe
from s2mlp_dsl.elaborate.spec import load
from tools import docs_tables

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
TRAINING = (DOCS / "training.md").read_text(encoding="utf-8")
STUDIES = (DOCS / "studies.md").read_text(encoding="utf-8")
LAW = re.compile(r"language's (\w+)\s+law\b|\blaw (\d+)")
EXAMPLES = re.findall(r"```arch\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_holds(text: str) -> None:
    checked = check_spec(load(text))
    assert [one.message for one in checked.report.sorted()] == []
    assert checked.analyses
    assert all(one.holds and one.params is not None for one in checked.analyses)


def test_cited_laws_exist() -> None:
    laws = re.findall(r"^(\d)\. \*\*", PAGE, re.MULTILINE)
    assert laws == [str(number) for number in range(1, 10)]
    ordinals = ["first", "second", "third", "fifth", "sixth", "ninth"]
    texts = [
        page.read_text(encoding="utf-8")
        for page in (*DOCS.glob("*.md"), *(DOCS.parent / "s2mlp_dsl").rglob("*.py"))
    ]
    assert {
        number
        for text in texts
        for one in LAW.findall(text)
        for number in one
        if number
    } <= {*laws, *ordinals}


@pytest.mark.parametrize("page", docs_tables.PAGES, ids=lambda page: page.name)
def test_tables_and_outputs_are_fresh(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(page.parent)
    text = page.read_text(encoding="utf-8")
    assert docs_tables.refreshed(text) == text, "run python tools/docs_tables.py"


def test_every_table_is_on_a_page() -> None:
    texts = [page.read_text(encoding="utf-8") for page in docs_tables.PAGES]
    tables = {found[2] for text in texts for found in docs_tables.TABLE.finditer(text)}
    assert tables == set(docs_tables.TABLES)
    assert sum(len(docs_tables.OUTPUT.findall(text)) for text in texts) >= 2


def test_the_recipe_on_the_page_is_one() -> None:
    (text,) = re.findall(r"```arch\n(.*?)```", TRAINING, re.DOTALL)
    spec = load(text)
    report = Report()
    recipe = resolve_recipe(spec.choose_recipe(None), {}, report)
    assert not report.sorted()
    assert recipe.ema == 0.9998 and len(recipe.augment) == 4


def test_the_studies_on_the_page_have_rows() -> None:
    (text,) = re.findall(r"```arch\n(.*?)```", STUDIES, re.DOTALL)
    checked = check_spec(load(text))
    depths, directions = checked.studies
    assert not checked.report.sorted()
    assert (len(depths.rows), depths.runs) == (3, 9)
    assert (len(directions.rows), directions.runs) == (6, 30)


def test_every_option_of_study_is_on_the_page() -> None:
    command = app.get_command(click.Context(app), "study")
    assert command is not None
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("-") and option != "--quiet":
                assert f"`{option}" in STUDIES, option


def commands(page: str) -> list[list[str]]:
    """The words of each `s2mlp-dsl` and `torchrun` command in a page's blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    text = re.sub(r"\\\n\s*", "", "\n".join(blocks))
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    lines = [words[1:] if words[:1] == ["srun"] else words for words in lines]
    return [words for words in lines if words[:1] in (["s2mlp-dsl"], ["torchrun"])]


@pytest.mark.parametrize("page", ["scaling.md", "training.md", "studies.md"])
def test_the_commands_on_the_page_are_understood(page: str) -> None:
    """By the parsers of torchrun and of our commands; nothing is run."""
    from torch.distributed.run import get_args_parser

    found = commands((DOCS / page).read_text(encoding="utf-8"))
    assert len(found) >= 4
    for program, *words in found:
        # Numbers of the scheduler stand in for its variables.
        words = [re.sub(r"\$SLURM_\w+", "4", word) for word in words]
        if program == "torchrun":
            given = get_args_parser().parse_args(words)
            assert given.module and given.training_script == "s2mlp_dsl"
            words = given.training_script_args
        command = app.get_command(click.Context(app), words[0])
        assert command is not None, words
        context = command.make_context(words[0], words[1:])
        assert context.params
        spec = context.params.get("spec")
        assert spec is None or (DOCS.parent / spec).is_file()
