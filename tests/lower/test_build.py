"""The built module is the emitted text at work, and nothing else is needed."""

import copy
import gc
import inspect
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import torch

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.weights.match import stored_in
from tests.lower.specs import LARGE, SMALL, program

# Runs every file as `python FILE` would, then once more as a module, and keeps
# what came of it. Nothing of this project can be imported there.
DRIVER = """
import pathlib, runpy, sys, torch
sys.path.insert(0, ".")
torch.set_num_threads(1)
for path in map(pathlib.Path, sys.argv[1:]):
    made = runpy.run_path(str(path), run_name="__main__")
    torch.manual_seed(7)
    net = type(made["model"])().eval()
    size = [int(n) for n in path.with_suffix(".size").read_text().split()]
    x = torch.randn(2, *size)
    with torch.no_grad():
        y = net(x)
    torch.save({"state": net.state_dict(), "y": y}, path.with_suffix(".pt"))
"""


def _run_alone(folder: Path, names: list[str]) -> str:
    hidden = folder / "s2mlp_dsl"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('hidden')")
    for name in names:
        one = program(name)
        (folder / f"{name}.py").write_text(one.source().text, encoding="utf-8")
        size = " ".join(map(str, one.analysis.image or ()))
        (folder / f"{name}.size").write_text(size)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *(f"{name}.py" for name in names)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _hold(folder: Path, names: list[str], printed: str) -> None:
    lines = printed.splitlines()
    assert len(lines) == len(names)
    for name, line in zip(names, lines, strict=True):
        one = program(name)
        params = f"{one.analysis.params:,}"
        shape = (2, *one.model.result.dims)
        assert line == f"{one.model.name}: output {shape}, {params} parameters"
        torch.manual_seed(7)
        net = one.build().eval()
        assert one.analysis.image is not None
        x = torch.randn(2, *one.analysis.image)
        with torch.no_grad():
            y = net(x)
        alone = torch.load(folder / f"{name}.pt", weights_only=True)
        state = net.state_dict()
        assert list(alone["state"]) == list(state), name
        for key, value in state.items():
            assert torch.equal(alone["state"][key], value), (name, key)
        assert torch.equal(alone["y"], y), name
        gc.collect()


def test_files_run_alone_and_agree_bit_for_bit(tmp_path: Path) -> None:
    _hold(tmp_path, SMALL, _run_alone(tmp_path, SMALL))


@pytest.mark.slow
def test_large_files_too(tmp_path: Path) -> None:
    _hold(tmp_path, LARGE, _run_alone(tmp_path, LARGE))


def test_as_a_user_runs_it(tmp_path: Path) -> None:
    file = tmp_path / "digits.py"
    file.write_text(program("digits").source().text, encoding="utf-8")
    words = [sys.executable, str(file)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "digits: output (2, 10), 152,010 parameters\n"


@pytest.mark.parametrize("name", SMALL)
def test_weights_are_called_what_the_analysis_calls_them(name: str) -> None:
    one = program(name)
    found = {key: tuple(value.shape) for key, value in one.build().state_dict().items()}
    assert found == stored_in(one.model)


def test_the_naming_rule() -> None:
    keys = program("stacks").build().state_dict()
    modules = {key.rpartition(".")[0] for key in keys}
    assert {name for name in modules if name.startswith("stack1")} == {
        "stack1.0.linear",
        "stack1.1.linear",
        "stack1.2.widen_3.linear",
        "stack1.2.norm",
        "stack1.3.widen_4.linear",
        "stack1.3.norm",
        "stack1.4.widen_4.linear",
        "stack1.4.norm",
    }


def test_source_is_shown() -> None:
    one = program("digits")
    net = one.build()
    text = one.source().text
    assert inspect.getsource(type(net)) in text
    assert inspect.getsource(type(net)).startswith("class Digits(nn.Module):")
    assert "return slid(" in inspect.getsource(type(net.stack[0].shift).forward)
    assert inspect.getsource(inspect.getmodule(type(net))) == text


def test_tracebacks_show_the_line() -> None:
    try:
        program("digits").build()(torch.randn(2, 1, 8, 7))
    except RuntimeError:
        shown = traceback.format_exc()
    assert "x = self.patch(x)  # [batch, 4, 4, 64]" in shown
    assert "torch.unflatten(x_BHWC, 2, sides)" in shown


def test_versions_live_side_by_side() -> None:
    spec = "edition 1\nmodel m(n = 3) {\n    image(1, 2, 2)\n    linear(n)\n}\n"
    three, four = elaborate(spec).build(), elaborate(spec, None, {"n": 4}).build()
    assert "nn.Linear(1, 3)" in inspect.getsource(type(three))
    assert "nn.Linear(1, 4)" in inspect.getsource(type(four))
    assert type(elaborate(spec).build()) is type(three)


def test_a_built_module_is_an_ordinary_one(tmp_path: Path) -> None:
    net = program("many_groups").build()
    twin = copy.deepcopy(net)
    x = torch.randn(1, 42, 4, 5)
    assert torch.equal(net(x), twin(x))
    torch.save(net, tmp_path / "net.pt")
    loaded = torch.load(tmp_path / "net.pt", weights_only=False)
    assert torch.equal(net(x), loaded(x))
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
    assert torch.equal(
        torch.nn.Sequential(net).half().float()[0](x).isfinite(), net(x).isfinite()
    )


UNPICKLE = """
import sys, torch, s2mlp_dsl
net = torch.load(sys.argv[1], weights_only=False)
x = torch.load(sys.argv[2])
torch.save(net.eval()(x), sys.argv[3])
"""


@pytest.mark.parametrize("name", ["stacks", "many_groups", "s2mlpv2", "vit"])
def test_a_module_is_pickled_with_its_source(name: str, tmp_path: Path) -> None:
    net = program(name).build().eval()
    files = [tmp_path / part for part in ("net.pt", "x.pt", "y.pt")]
    torch.save(net, files[0])
    x = torch.randn(2, *program(name).model.input_size)
    torch.save(x, files[1])
    done = subprocess.run([sys.executable, "-c", UNPICKLE, *files], check=False)
    assert done.returncode == 0
    assert torch.equal(torch.load(files[2]), net(x))
    twin = copy.deepcopy(net)
    assert type(twin) is type(net) and torch.equal(twin(x), net(x))
    before = [one.data_ptr() for one in net.parameters()]
    assert not {*before} & {one.data_ptr() for one in twin.parameters()}
