"""Operators of other packages: installed, used, and broken in each way."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import s2mlp_dsl as s2
from s2mlp_dsl import operators
from s2mlp_dsl.cli.app import app
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.lower.source_check import check_source
from s2mlp_dsl.registry import forget_packages
from tests.operators import test_contract as contract
from tests.operators.cases import Case, film, map_
from tests.packages import looked_for_anew, register

PLUGIN = Path(__file__).parent / "plugin"
SPEC = PLUGIN / "grn.arch"
PAGE = Path(__file__).parents[1] / "docs" / "writing-a-plugin.md"
SHAPES = (map_(3, 5, 4), map_(1, 1, 3), map_(4, 2, 7), film(2, 3, 2, 5))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip installed the package into."""
    site = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--no-deps"]
    install += ["--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*install, PLUGIN], check=True, capture_output=True)
    return site


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was found is looked for anew, and not known to the next test."""
    with looked_for_anew():
        yield


@pytest.fixture
def installed(site: Path, forgotten: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        yield


# the package that docs/writing-a-plugin.md writes


def test_the_page_shows_the_package() -> None:
    """Each block of the page under a file's name is that file."""
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```", text, re.M | re.S)
    files = {name: (PLUGIN / name).read_text(encoding="utf-8") for name, _ in shown}
    assert dict(shown) == files
    assert files.keys() == {
        str(path.relative_to(PLUGIN))
        for path in PLUGIN.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.usefixtures("installed")
def test_checked_lowered_emitted_drawn(tmp_path: Path) -> None:
    analysis = s2.analyze(SPEC)
    assert analysis.params == 6_682 and analysis.holds and len(analysis.claims) == 3
    program = s2.elaborate(SPEC)
    assert s2.elaborate(program.text).model == program.model
    assert "grn" in program.text
    text = program.emit("torch").decode()
    check_source(text)
    assert "class GlobalResponseNorm(nn.Module):" in text and "s2mlp_grn" not in text
    assert s2.compile(SPEC)(torch.randn(2, 3, 16, 16)).shape == (2, 10)
    picture = tmp_path / "tiny.svg"
    program.diagram("block", "light", "mixer").save(picture)
    assert "grn" in picture.read_text(encoding="utf-8")


@pytest.mark.usefixtures("installed")
def test_verified_and_exported() -> None:
    certificate = s2.verify(USES, backends=("emitted", "export", "onnx"))
    assert certificate.passed


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_contract(shape: Map) -> None:
    for eps in ("", "(1/10)"):
        case = Case(f"grn{eps}", shape)
        contract.test_forward(case)
        contract.test_parameters(case)
        contract.test_receptive_field(case)
        contract.test_reference(case)
        contract.test_gradient_is_that_of_the_value(case)
        contract.test_text_round_trips(case)


@pytest.mark.usefixtures("installed")
def test_listed_with_its_owner() -> None:
    listed = CliRunner().invoke(app, ["ops"], standalone_mode=False)
    assert listed.return_value == 0
    assert re.search(r"^grn .*\(s2mlp-grn 0\.1\.0\)$", listed.output, re.M)
    described = CliRunner().invoke(app, ["ops", "grn"], standalone_mode=False)
    assert "package           s2mlp-grn 0.1.0" in described.output


@pytest.mark.usefixtures("installed")
def test_its_target_writes() -> None:
    lines = s2.elaborate(SPEC).emit("counts").decode().splitlines()
    assert "head,170" in lines and "stack.0-1.grn,128" in lines


@pytest.mark.usefixtures("installed")
def test_its_view_draws() -> None:
    picture = s2.elaborate(SPEC).diagram("params", least="500").render("dot")
    assert b"stack.0-1.linear3" in picture and b"head" not in picture


@pytest.mark.usefixtures("installed")
def test_its_refusal_is_a_diagnostic() -> None:
    with pytest.raises(SpecError) as refused:
        s2.analyze(USES.replace("grn", "grn(eps = 0)"))
    (found,) = refused.value.diagnostics
    assert (found.code.number, refused.value.exit_code) == ("A0220", 1)
    assert found.primary.span.text == "0"
    assert "it must be above zero" in found.primary.text
    assert found.help == "use a small number, such as 1e-6"


def test_its_data_set_trains(site: Path, tmp_path: Path) -> None:
    """By the command, in a process that finds the package as it starts."""
    says = f"import sys; sys.path.insert(0, {str(site)!r}); "
    says += "from s2mlp_dsl.cli import main; main()"
    words = ["train", SPEC, "--out", tmp_path / "run", "--device", "cpu"]
    run = subprocess.run(
        [sys.executable, "-c", says, *words], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "run").is_dir()


@pytest.mark.usefixtures("installed")
def test_what_a_file_declares_comes_first() -> None:
    text = (
        "block grn() {\n    linear(dim)\n}\nmodel m {\n    image(3, 2, 2)\n    grn\n}\n"
    )
    assert s2.analyze(f"edition 1\n{text}").params == 12
    assert "s2mlp_grn" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_a_misspelt_name_is_suggested() -> None:
    with pytest.raises(SpecError, match="`grn`"):
        s2.analyze("edition 1\nmodel m {\n    image(3, 2, 2)\n    grm\n}\n")


# packages that are broken

GOOD = (PLUGIN / "s2mlp_grn" / "__init__.py").read_text(encoding="utf-8")
MODULES = (PLUGIN / "s2mlp_grn" / "nn.py").read_text(encoding="utf-8")
USES = "edition 1\nmodel m {\n    image(3, 4, 4)\n    grn\n}\n"
UNUSED = USES.replace("grn", "gelu")


def package(
    folder: Path,
    code: str = GOOD,
    modules: str = MODULES,
    *,
    name: str = "grn",
    owner: str = "other",
) -> None:
    """A package as pip would leave it, with one operator."""
    register(folder, owner, "2.0", {name: "other:Grn"})
    (folder / "other.py").write_text(code, encoding="utf-8")
    (folder / "nn.py").write_text(modules, encoding="utf-8")


BROKEN_CLASSES = {
    "fails: ModuleNotFoundError": GOOD.replace(
        "import Path", "import Path\nimport nowhere"
    ),
    "has no attribute 'Grn'": GOOD.replace("class Grn", "class Other"),
    "is not a subclass of": GOOD.replace("class Grn(Operator)", "class Grn"),
    "has `api = 7`; the version of the contract is 1": GOOD.replace(
        "api = 1", "api = 7"
    ),
    "does not have `name = 'grn'`": GOOD.replace('name = "grn"', 'name = "gnr"'),
    "has no `formula`": GOOD.replace("    formula =", "    other ="),
    "has no `reference`": GOOD.replace("def reference", "def other"),
    "there is no file": GOOD.replace("nn.py", "gone.py"),
}


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("reason", BROKEN_CLASSES)
def test_a_broken_class_is_named_where_it_is_used(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BROKEN_CLASSES[reason] != GOOD
    package(tmp_path, BROKEN_CLASSES[reason])
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpecError) as refused:
        s2.analyze(USES)
    (found,) = refused.value.diagnostics
    lost = ("fails: ", "has no attribute", "there is no file")
    code = "A0310" if reason.startswith(lost) else "A0311"
    assert (found.code.number, refused.value.exit_code) == (code, 4)
    span, said = found.primary.span, found.primary.text
    assert (span.line, span.column, span.text) == (4, 5, "grn")
    assert said.startswith("`grn` of other 2.0: ") and reason in said
    assert s2.analyze(UNUSED).params == 0
    listed = CliRunner().invoke(app, ["ops"], standalone_mode=False)
    assert listed.return_value == 4
    assert f"error[{code}]: `grn` of other 2.0: " in listed.stderr
    assert "linear" in listed.stdout


BROKEN_MODULES = [
    ("uses eval, which", MODULES.replace("x * x", "eval('x * x')")),
    ("uses sep, which", MODULES.replace("x * x", "x * len(os.sep)")),
    (
        "uses sep, which",
        MODULES.replace("import torch\n", "from os import sep\nimport torch\n").replace(
            "x * x", "x * len(sep)"
        ),
    ),
    ("both define `Scale`", f"{MODULES}\n\nclass Scale(nn.Module):\n    pass\n"),
    ("both define `nn`", f"{MODULES}\n\ndef nn():\n    pass\n"),
    ("cannot be read", f"{MODULES}\n\nclass:\n"),
    (
        "names `GlobalResponseNorm`, which is not defined",
        MODULES.replace("class GlobalResponseNorm", "class Norm"),
    ),
]


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(("reason", "modules"), BROKEN_MODULES)
def test_broken_modules_are_named_before_they_run(
    reason: str, modules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, modules=modules)
    monkeypatch.syspath_prepend(tmp_path)
    assert s2.analyze(USES).params == 6
    with pytest.raises(SpecError) as refused:
        s2.compile(USES)
    (found,) = refused.value.diagnostics
    assert (found.code.number, refused.value.exit_code) == ("A0312", 4)
    assert found.primary.span.text == "grn"
    assert found.primary.text.startswith("`grn` of other 2.0: ")
    assert reason in found.primary.text


@pytest.mark.usefixtures("installed")
def test_two_packages_with_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = USES.replace("4)", "4)\n    lineer(4)")
    with pytest.raises(SpecError) as refused:
        s2.analyze(text)
    unknown, twice = refused.value.diagnostics  # it hides no other mistake
    assert (unknown.code.number, twice.code.number) == ("A0302", "A0309")
    said = twice.primary.text
    assert said.startswith("`grn` is registered by ")
    assert "other 2.0" in said and "s2mlp-grn 0.1.0" in said
    assert refused.value.exit_code == 1
    with pytest.raises(SpecError) as refused:
        s2.analyze(USES)
    assert refused.value.exit_code == 4
    assert s2.analyze(UNUSED).params == 0


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("name", ["gelu", "fold"])
def test_a_name_of_ours(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, name=name)
    monkeypatch.syspath_prepend(tmp_path)
    listed = CliRunner().invoke(app, ["ops"], standalone_mode=False)
    assert listed.return_value == 4
    both = f"error[A0309]: `{name}` is registered by s2mlp-dsl and by other 2.0"
    assert both in listed.stderr
    with pytest.raises(SpecError, match=r"by s2mlp-dsl and by other 2\.0"):
        s2.analyze(
            USES.replace("grn", 'fold("y x c -> c (y x)") { gelu }')
            if name == "fold"
            else UNUSED
        )


def test_no_package_no_question() -> None:
    """Without plug-ins a name that nobody knows costs a look at small files alone."""
    forget_packages()
    assert operators.find("nothing") is None


def test_what_cannot_be_used_is_said_without_torch(tmp_path: Path) -> None:
    package(tmp_path, BROKEN_CLASSES["has no `formula`"])
    spec = tmp_path / "uses.arch"
    spec.write_text(USES)
    says = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        f"sys.argv = ['s2mlp-dsl', 'check', {str(spec)!r}]\n"
        "from s2mlp_dsl.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    assert 'torch' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True)
    assert run.returncode == 4, run.stderr
    assert run.stderr.startswith("error[A0311]: invalid registration")
