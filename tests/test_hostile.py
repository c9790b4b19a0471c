"""Hostile names in every output: read by a parser of it, they are text."""

import csv
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.data.image_files import is_image, is_system, shown
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.escape import plain, visible
from s2mlp_dsl.report.page import report
from s2mlp_dsl.report.runs import Run
from s2mlp_dsl.study import plots, table
from s2mlp_dsl.study.estimate import Estimate
from s2mlp_dsl.study.page import page
from s2mlp_dsl.study.plan_text import plan_text
from s2mlp_dsl.study.summary import Summary, summarise
from tests.cli.running import s2mlp
from tests.hostile import HOSTILE
from tests.report.test_report import DEEP, Page, subject
from tests.study.making import failure, result, words

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SAFE = {"text", "text_special", "code_inline", "softbreak"}


def assert_harmless(printed: str) -> None:
    """On a terminal: lines of text, and nothing that steers it."""
    steering = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    found = {one for one in printed if unicodedata.category(one) in steering}
    assert found <= {"\n"}, found


def inline(markdown: str) -> list[str]:
    """The text of each paragraph, heading and cell."""
    found = []
    for block in MARKDOWN.parse(markdown):
        assert block.type not in {"html_block", "code_block", "blockquote_open"}
        if block.type == "inline":
            found.append("".join(one.content for one in block.children or []))
    return found


# studies


@pytest.fixture(scope="module")
def summary() -> Summary:
    """A row for each text; all failed once, with it as the message."""
    plan, _ = words()
    first = plan.rows[0]
    rows = tuple(
        first.model_copy(
            update={
                "key": f"row{number}",
                "runs": f"row{number}",
                "label": text,
                "case": text,
                "function_hash": f"{number:064x}",
                "recipe_name": text,
                "arguments": (("via", text),),
            }
        )
        for number, text in enumerate(HOSTILE)
    )
    doc, spec = " ".join(HOSTILE), "".join(HOSTILE)
    made = plan.model_copy(update={"rows": rows, "doc": doc, "spec": spec})
    results = [result(made, row, 0, 0.9, 0.95) for row in rows]
    results += [failure(made, row, 1, row.label) for row in rows]
    return summarise(made, results)


def test_the_table_of_a_study(summary: Summary) -> None:
    text = table.text(summary)
    assert_harmless(text)
    _, *lines = text.splitlines()
    assert len(lines) == len(HOSTILE)
    for line, name in zip(lines, HOSTILE, strict=True):
        assert line.strip().startswith(plain(name).strip())
    rows = list(csv.DictReader(io.StringIO(table.as_csv(summary))))
    for row, name in zip(rows, HOSTILE, strict=True):
        assert row["label"].removeprefix("'") == plain(name).removeprefix("'")
        assert not row["label"].startswith(("=", "@", "\t", "\r"))
    data = json.loads(table.as_json(summary))["rows"]
    assert [one["label"] for one in data] == HOSTILE
    cells = inline(table.markdown(summary))
    columns, rest = divmod(len(cells), len(HOSTILE) + 1)
    assert rest == 0
    assert cells[columns::columns] == [plain(name).strip() for name in HOSTILE]


def test_the_latex_table_of_a_study(summary: Summary) -> None:
    start, body = table.latex(summary).split("\\midrule\n")
    body, end = body.split("\\bottomrule\n")
    assert end == "\\end{tabular}\n"
    rows = body.splitlines()
    assert len(rows) == len(HOSTILE)
    for row in rows:
        assert row.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", row)) == start.count(" & ")
        assert not row.startswith(("[", "*"))


def test_the_page_of_a_study(summary: Summary) -> None:
    text = page(summary, "plot.svg")
    tokens = MARKDOWN.parse(text)
    parts = [one for block in tokens for one in block.children or []]
    assert {one.type for one in parts} <= SAFE | {
        "strong_open",
        "strong_close",
        "image",
    }
    assert sum(one.type == "heading_open" for one in tokens) == 3
    images = [one.attrs["src"] for one in parts if one.type == "image"]
    assert images == ["plot.svg"]
    found = {*inline(text)}
    for name in HOSTILE:
        assert plain(name).strip() in found
        bold = plain(name.strip()) or "–"
        said = f"{bold}, seed 1, failed with 4: {plain(name)}".rstrip()
        assert said in found, said


@pytest.mark.filterwarnings("ignore:Glyph")
def test_the_plot_of_a_study(summary: Summary) -> None:
    root = ElementTree.fromstring(plots.draw(summary, "svg"))
    texts = {
        "".join(one.itertext()).strip()
        for one in root.iter()
        if one.tag.endswith("}text")
    }
    assert {plain(name).strip() for name in HOSTILE} <= texts | {""}
    assert not any(one.tag.endswith(("}script", "}a")) for one in root.iter())


def test_the_plan_of_a_study(summary: Summary) -> None:
    unknown = Estimate(seconds={}, measured=frozenset(), reason="none")
    text = plan_text(summary.plan, unknown, [], 1)
    assert_harmless(text)
    assert all(plain(name).strip() in text for name in HOSTILE)


# reports


def test_the_report_of_runs() -> None:
    epoch = {"epoch": 1, "loss": 1.0, "test_loss": 1.0}
    epoch |= {"train_accuracy": 0.5, "test_accuracy": 0.5}
    runs = [Run(name, name, name, (epoch,), True, ()) for name in HOSTILE]
    text = report([subject(DEEP)], runs)
    text.encode()
    usual = Page(report([subject(DEEP)], [Run("a", "a", "a", (epoch,), True, ())]))
    read = Page(text)
    names = {(tag, *attributes) for tag, attributes in usual.tags}
    assert {(tag, *attributes) for tag, attributes in read.tags} == names
    shown_there = "".join(read.text)
    for name in HOSTILE:
        assert f"{visible(f'{name}: {name} by {name}')}, 50.00%" in shown_there
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0\x1b]", text)


# names of files


def usable(name: str) -> str | None:
    """As a name of a file or folder that is not left out; None where it cannot be."""
    name = name.replace("/", "∕").replace("\0", "␀")
    try:
        data = os.fsencode(name)
    except UnicodeEncodeError:
        return None
    return name if 0 < len(data) < 240 and not is_system(name) else None


NAMES = [*dict.fromkeys(one for one in map(usable, HOSTILE) if one)]


def test_there_are_two_hundred_names() -> None:
    assert len(NAMES) >= 200


@pytest.mark.unix
def test_checks_of_specs_with_such_names(tmp_path: Path) -> None:
    """Right ones, and wrong ones, in every form."""
    right = "edition 1\nmodel m {\n    image(3, 8, 8)\n    pool(mean)\n}\n"
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{name}.arch"
        path.write_text((right, "edition\n")[number % 2])
        done = s2mlp("check", path)
        assert done.returncode == number % 2, done.stderr
        assert_harmless(done.stdout + done.stderr)
        form = ("json", "sarif")[number // 2 % 2]
        json.loads(s2mlp("check", path, "--format", form).stdout)
        done = s2mlp("check", tmp_path / f"{name}.missing")
        assert done.returncode == 2
        assert_harmless(done.stdout + done.stderr)


@pytest.mark.unix
def test_what_is_written_of_specs_with_such_names(tmp_path: Path) -> None:
    text = (
        "edition 1\nmodel m {\n    image(3, 8, 8)\n    pool(mean)\n    linear(2)\n}\n"
    )
    for name in NAMES:
        path = tmp_path / f"{name}.arch"
        path.write_text(text)
        made = elaborate(load(path))
        for target in ("torch", "ir", "ir-json", "fx"):
            made.emit(target).decode()
        compile(made.emit("torch"), "<hostile>", "exec")
        assert json.loads(made.emit("ir-json"))["spec"] == made.spec_name
    out = tmp_path / "out\x1b[31m"
    for command, output in (
        *(("compile", out), ("diagram", f"{out}.svg"), ("report", f"{out}.html")),
        *(("compile", path), ("diagram", f"{out}.unknown")),  # refused
    ):
        done = s2mlp(command, path, "-o", output)
        refused = output == path or str(output).endswith("unknown")
        assert bool(done.returncode) == refused, done.stderr
        assert_harmless(done.stdout + done.stderr)


SPEC = """edition 1
model tiny {
    image(3, 8, 8)
    pool(mean)
    linear(CLASSES)
}
recipe odd {
    data = folder
    epochs = 1
    batch = 64
    schedule = cosine(warmup = 0, min_lr = 0)
    workers = 0
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in a folder, from a spec and with classes and images of such names."""
    root = tmp_path_factory.mktemp("hostile")
    classes = [*{shown(name): name for name in NAMES}.values()]
    for number, name in enumerate(classes):
        for part in ("train", "val"):
            folder = root / "data" / part / name
            folder.mkdir(parents=True)
            colour = (number % 256, number // 2 % 256, 99)
            Image.new("RGB", (8, 8), colour).save(folder / "im.png")
    spec = root / "\x1b[31m$(x)caf\udce9`|<b>.arch"
    spec.write_text(SPEC.replace("CLASSES", str(len(classes))))
    out = root / "run\x1b]0;x\x07<b>[red]"
    words = ("--data", root / "data", "--device", "cpu")
    done = s2mlp("train", spec, "--out", out, *words)
    assert done.returncode == 0, done.stderr
    assert_harmless(done.stdout + done.stderr)
    return out


@pytest.mark.unix
def test_classes_of_such_names(run: Path) -> None:
    done = s2mlp("eval", run, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert_harmless(done.stdout + done.stderr)
    classes = {shown(name) for name in NAMES}
    lines = done.stdout.splitlines()
    for name in classes:
        assert any(line.startswith(f"  {plain(name)}  ") for line in lines), name
    data = json.loads(s2mlp("eval", run, "--format", "json", "--device", "cpu").stdout)
    assert {one["name"] for one in data["classes"]} == classes


@pytest.mark.unix
def test_images_of_such_names(run: Path, tmp_path: Path) -> None:
    for name in NAMES:
        assert not is_image(name)
        Image.new("RGB", (8, 8)).save(os.fsencode(tmp_path / f"{name}.png"), "PNG")
    (tmp_path / "bad\x1b[31m.png").write_text("")
    done = s2mlp("predict", run, tmp_path, "--device", "cpu")
    assert done.returncode == 4
    assert_harmless(done.stdout + done.stderr)
    assert len(done.stdout.splitlines()) == len(NAMES)
    expected = {f"{shown(tmp_path / name)}.png" for name in NAMES}
    assert all(f"{path}: " in done.stdout for path in expected)
    words = ("--format", "json", "--device", "cpu")
    data = json.loads(s2mlp("predict", run, tmp_path, *words).stdout)
    assert {one["path"] for one in data} == expected


@pytest.mark.unix
def test_an_export_of_such_names(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out\x1b[31m"
    done = s2mlp("export-run", run, "-o", out)
    assert done.returncode == 0, done.stderr
    assert_harmless(done.stdout + done.stderr)
    card = (out / "README.md").read_text(encoding="utf-8")
    spec = next(run.parent.glob("*.arch"))
    parts = [one for block in MARKDOWN.parse(card) for one in block.children or []]
    assert {one.type for one in parts} <= SAFE
    assert any(plain(spec.name) in one for one in inline(card))
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    assert set(settings["classes"]) == {shown(name) for name in NAMES}
