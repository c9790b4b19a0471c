"""The emitted source: formatted, self-contained, and the model itself."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import s2mlp_dsl as s2

ROOT = Path(__file__).parents[2]

MADE_UP = '''edition 1

"""Says "hello", ends in a backslash \\ and has é ü."""
shift wide(step = 2) {
    edge reflect
    1/8 right step
    1/8 left step
    1/8 down step
    1/8 up step
    1/8 right step down step
    1/8 left step up step
    rest stay
}

shift turns {
    edge zero
    interleave
    each right -1 .. 1
    rest stay
}

"""It ends with a quote: "here" """
block affine(width) {
    residual {
        residual {
            norm(layer)
            shift(wide)
        }
        linear(width)
        gelu
        linear(dim)
    }
}

block spatial_shift {
    depthwise(3, edge = clamp, bias = off)
    affine(24)
}

model tensor(width = 16) {
    image(3, 8, 12)
    patch(2, width)
    stack 2 {
        affine(32)
    } then 3 {
        spatial_shift
    } then 1 {
        shift(turns)
        train: linear(dim, bias = off)
    }
    stack 2 as i {
        stack i + 1 {
            linear(dim)
        }
        norm(layer, eps = 1e-6)
    }
    class: pool(max)
    forward: linear(5)
}
'''
NAMES = ["deep", "digits", "made up"]


@pytest.fixture(scope="module", params=NAMES)
def program(request: pytest.FixtureRequest) -> s2.Program:
    specs = {
        "deep": ROOT / "specs" / "s2mlp_deep.arch",
        "digits": ROOT / "specs" / "digits.arch",
        "made up": MADE_UP,
    }
    return s2.elaborate(specs[request.param])


@pytest.fixture
def file(program: s2.Program, tmp_path: Path) -> Path:
    path = tmp_path / f"{program.model.name}.py"
    path.write_text(program.source().text, encoding="utf-8")
    return path


def ruff(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_formatted_and_clean(file: Path) -> None:
    formatted = ruff("format", "--diff", "--isolated", file)
    assert formatted.returncode == 0, formatted.stdout
    clean = ruff("check", "--isolated", "--select", "E4,E7,E9,F,I,W", file)
    assert clean.returncode == 0, clean.stdout


def test_runs_where_only_torch_is(program: s2.Program, file: Path) -> None:
    """A finder that refuses this package stands in for a machine without it."""
    hidden = (
        "import runpy, sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        assert not name.startswith('s2mlp_dsl'), name\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "runpy.run_path(sys.argv[1], run_name='__main__')\n"
        "assert 's2mlp_dsl' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden, str(file)],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    result = ", ".join(map(str, program.model.result.dims))
    assert f"output (2, {result})" in done.stdout


def test_is_the_compiled_module(program: s2.Program, file: Path) -> None:
    source = program.source()
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(file.read_text(encoding="utf-8"), namespace)
    made = namespace[source.model_class]
    assert callable(made)
    torch.manual_seed(0)
    emitted = made().eval()
    torch.manual_seed(0)
    compiled = program.build().eval()
    states = emitted.state_dict(), compiled.state_dict()
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert program.analysis.image is not None
    image = torch.randn(2, *program.analysis.image)
    with torch.no_grad():
        assert torch.equal(emitted(image), compiled(image))


def test_bytes_are_the_same_each_time(program: s2.Program) -> None:
    again = s2.elaborate(
        program.text if program.spec.source.path is None else program.spec
    )
    assert (
        again.source().text.split("class ", 1)[1]
        == (program.source().text.split("class ", 1)[1])
    )


def test_the_source_can_be_seen(program: s2.Program) -> None:
    shown = inspect.getsource(type(program.build()))
    assert shown.startswith(f"class {program.source().model_class}(nn.Module):")


def test_the_made_up_model_is_proved() -> None:
    certificate = s2.verify(MADE_UP)
    assert [check.name for check in certificate.checks if not check.passed] == []


def test_names_follow_the_rule() -> None:
    keys = list(s2.compile(MADE_UP).state_dict())
    assert "stack1.0.linear1.weight" in keys
    assert "stack1.5.train_.weight" in keys
    assert "stack2.1.stack.1.linear.weight" in keys
    assert "forward_.bias" in keys
    assert not any(key.startswith("class_") for key in keys)  # no weights in a pool
