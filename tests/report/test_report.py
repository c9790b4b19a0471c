"""The report page, read as text: whole, harmless, small and quick."""

import base64
import hashlib
import json
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from s2mlp_dsl.analysis.receptive_field import seen_after
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.data.images import Preprocess
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.report import Subject
from s2mlp_dsl.report.page import report
from s2mlp_dsl.report.runs import read_run
from s2mlp_dsl.train import EnvironmentFailure, Run
from tests.pictures.picture import ROOT, s2mlp
from tests.train.making import job

DEEP = ROOT / "specs" / "s2mlp_deep.arch"
EVIL = '</script></pre>]]><script>alert(1)</script><img src=x onerror="alert(2)">'
HOSTILE = f'''edition 1
# {EVIL}
"""{EVIL} $title ${{script}} {{{{x}}}}"""
model script {{
    image(1, 4, 4)
    onload: linear(8)  # {EVIL}
    stack 2 {{
        linear(8)
    }}
    pool(mean)
    linear(2)
}}
claim script {{
    params() == 1  # {EVIL}
}}
'''


def subject(spec: str | Path) -> Subject:
    return Subject(elaborate(spec))


class Page(HTMLParser):
    """The elements of a page and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        elif self.cdata_elem is None:
            self.text.append(data)

    def data(self) -> list[dict[str, object]]:
        return [json.loads(one) for one in self.scripts[:-1]]


@pytest.fixture(scope="module")
def deep() -> str:
    return report([subject(DEEP)])


def test_small_and_without_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from s2mlp_dsl.cli.app import app;"
        "app.main(sys.argv[1:], standalone_mode=False);"
        "assert 'torch' not in sys.modules"
    )
    out = tmp_path / "report.html"
    command = [sys.executable, "-c", program, "report", DEEP, "-o", out]
    subprocess.run([*map(str, command)], check=True)
    assert out.stat().st_size < 1_000_000


def test_the_same_bytes_on_each_run(deep: str) -> None:
    assert report([subject(DEEP)]) == deep


def test_nothing_is_fetched_and_one_script_runs(deep: str) -> None:
    page = Page(deep)
    for tag, attributes in page.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form"}
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "href", "xlink:href", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith("#") or target == "data:,", (tag, target)
    assert "@import" not in deep and "url(" not in deep
    (policy,) = (
        one.get("content") or ""
        for tag, one in page.tags
        if tag == "meta" and one.get("http-equiv")
    )
    digest = hashlib.sha256(page.scripts[-1].encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique(deep: str) -> None:
    ids = [one["id"] for _, one in Page(deep).tags if "id" in one]
    assert len(ids) == len(set(ids))
    labels = [one["for"] for _, one in Page(deep).tags if "for" in one]
    assert set(labels) <= set(ids)


def test_every_statement_is_in_source_diagram_and_table(deep: str) -> None:
    about = subject(DEEP)
    tags = Page(deep).tags
    for row in about.analysis.rows:
        marked = [
            tag for tag, one in tags if row.path in (one.get("data-p") or "").split(" ")
        ]
        assert {"span", "tr"} <= set(marked), row.path
        assert f"<title>{row.path.replace('-', '&#45;')}</title>" in deep
        assert f"{row.total_macs:,}</td>" in deep


def test_heads_say_what_is_inside(deep: str) -> None:
    paths = [row.path for row in subject(DEEP).analysis.rows]
    inside = [path for path in paths if path.startswith("stack.")]
    heads = [one["data-of"] for _, one in Page(deep).tags if "data-of" in one]
    # Two residuals of the block, then the stack, in the order of the source.
    assert [(one or "").split() for one in heads] == [inside[:5], inside[5:], inside]


def test_the_receptive_field_of_the_page_is_the_receptive_field() -> None:
    about = subject(DEEP)
    (data,) = Page(report([about])).data()
    raw = zlib.decompress(base64.b64decode(str(data["bits"])))
    history = seen_after(about.model)
    assert data["depths"] == list(range(1, len(history) + 1))
    size = (196 + 7) // 8
    at = 0
    for rows in history:
        for row in rows:
            assert int.from_bytes(raw[at : at + size], "little") == row
            at += size
    assert at == len(raw)


def test_the_source_is_highlighted(deep: str) -> None:
    kinds = dict(re.findall(r'<i class="(\w+)">([^<]*)</i>', deep)[::-1])
    assert kinds.keys() == {"keyword", "number", "string", "doc", "comment"}
    words = set(re.findall(r'<i class="keyword">([^<]*)</i>', deep))
    assert {"edition", "model", "stack", "residual", "claim"} <= words
    assert not words & {"linear", "width", "s2mlp_block"}


def test_claims_and_their_verdicts() -> None:
    page = report([subject(HOSTILE)])
    assert '<li class="fails"><b>✗ fails</b> <code>params() == 1</code>' in page
    assert report([subject(DEEP)]).count("✓ holds</b>") == 5


def test_hostile_text_stays_text() -> None:
    text = report([subject(HOSTILE)])
    page = Page(text)
    assert "<img" not in text and "<script>alert" not in text
    assert [tag for tag, _ in page.tags].count("script") == 2
    shown = "".join(page.text)
    assert shown.count(EVIL) >= 3
    assert "$title ${script} {{x}}" in shown


def write_run(folder: Path, name: str = "a <b>") -> Path:
    """An unfinished run of three epochs."""
    folder.mkdir()
    work = job(model_name=name)
    Run(
        path=folder,
        job=work,
        preprocess=Preprocess(image=work.image, fit="stretch", mean=(0,), std=(1,)),
        class_names=tuple("0123456789"),
        data_fingerprint="",
        data_root=None,
        train_images=1437,
        test_images=360,
        learning_rate=LearningRate.of(work.recipe, 22, 11),
        parameters=4938,
        device="cpu",
        precision="fp32",
        versions={},
    ).create()
    lines = [
        {
            "event": "epoch",
            "step": 11 * epoch,
            "epoch": epoch,
            "lr": 0.001,
            "time": {},
            "loss": 2 / epoch,
            "test_loss": 2.2 / epoch,
            "train_accuracy": 1 - 1 / epoch,
            "test_accuracy": 0.9 - 0.9 / epoch,
        }
        for epoch in (1, 2, 3)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text)
    return folder


def test_curves_of_runs(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "one"), [].append)
    page = report([subject(DEEP)], [run] * 7)  # more than there are colours
    shown = "one: a &lt;b&gt; by quick, 60.00% test accuracy after 3 epochs, unfinished"
    assert shown in page
    paths = re.findall(r'<path class="c\d (?:test|train)" d="M([^"]+)"', page)
    assert [len(path.split("L")) for path in paths] == [3] * 28


def test_damaged_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match=r"it has no run\.json"):
        read_run(tmp_path, [].append)
    folder = write_run(tmp_path / "one")
    record = folder / "run.json"
    record.write_text(record.read_text().replace("a <b>", "a <i>"))
    with pytest.raises(EnvironmentFailure, match="its SHA-256 differs"):
        read_run(folder, [].append)
    done = s2mlp("report", DEEP, folder, "-o", tmp_path / "a.html")
    assert (done.returncode, (tmp_path / "a.html").exists()) == (4, False)
    assert "its SHA-256 differs" in done.stderr
    other = write_run(tmp_path / "other")
    (other / "model.arch").write_text("edition 1\n# changed\n")
    with pytest.raises(
        EnvironmentFailure, match=r"model\.arch is not what was trained"
    ):
        read_run(other, [].append)


def test_damaged_lines_of_a_log_are_left_out_and_said(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one")
    log = folder / "metrics.jsonl"
    log.write_text("{\n" + log.read_text())
    out = tmp_path / "a.html"
    done = s2mlp("report", DEEP, folder, "-o", out)
    assert done.returncode == 0
    assert f"{log}: line 1 is damaged and left out" in done.stderr
    assert "after 3 epochs" in out.read_text()


def test_several_models_with_a_certificate(tmp_path: Path) -> None:
    proved = s2mlp("verify", "specs/digits.arch", "--format", "json")
    proof = tmp_path / "digits.json"
    proof.write_text(proved.stdout)
    out = tmp_path / "both.html"
    words = ["report", DEEP, "specs/digits.arch", "--certificate", proof, "-o", out]
    done = s2mlp(*words)
    assert (done.returncode, done.stderr) == (0, f"wrote {out}\n")
    page = out.read_text()
    assert "<h2>Side by side</h2>" in page
    assert page.count("Verified with ") == 1
    assert page.count("not verified for this page;") == 1
    done = s2mlp("report", DEEP, "--certificate", DEEP, "-o", out)
    assert done.returncode == 2 and "is not a certificate" in done.stderr


def test_wrong_specs_are_said_to_be_wrong(tmp_path: Path) -> None:
    spec = tmp_path / "two.arch"
    body = "{ image(1, 4, 4)\n linear(2) }"
    spec.write_text(f"edition 1\nmodel a {body}\nmodel b = nope(1)\n")
    out = tmp_path / "report.html"
    done = s2mlp("report", spec, "-o", out)
    assert (done.returncode, out.exists()) == (1, False)
    assert "error[" in done.stderr and "nope" in done.stderr
    done = s2mlp("report", "specs/s2mlp.arch", "-o", out)
    assert (done.returncode, out.exists()) == (2, False)
    assert "--set width=" in done.stderr


def test_only_complete_models_of_a_file(tmp_path: Path) -> None:
    spec = tmp_path / "two.arch"
    body = "{ image(1, 4, 4)\n linear(n) }"
    spec.write_text(f"edition 1\nmodel a(n) {body}\nmodel b = a(n = 2)\n")
    out = tmp_path / "report.html"
    assert s2mlp("report", spec, "-o", out).returncode == 0
    assert "<title>b</title>" in out.read_text()
