"""Every bound has a name, a code and an option; what explodes is refused cheaply."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from s2mlp_dsl.bounds import NAMES, Limits, limits, raised
from tests.checking import mistakes
from tests.diagnostics.running import Checker

HEAD = "edition 1\n"
MEGABYTES = 300  # MB that a refusal may take, Python and its modules included


def model(body: str) -> str:
    return f"{HEAD}model m {{\n    image(3, 8, 8)\n    {body}\n}}\n"


MONSTERS = {
    "a billion iterations": (model("stack 1_000_000_000 { gelu }"), "A0803"),
    "twelve nested stacks": (
        model("stack 1_000 { " * 12 + "gelu" + " }" * 12),
        "A0803",
    ),
    "a line of ten megabytes": (
        HEAD + "let a = " + "1 + " * 2_500_000 + "1\n",
        "A0801",
    ),
    "a hundred thousand braces": ("{" * 100_000, "A0101"),
    "a number of a hundred thousand digits": (
        HEAD + "let a = " + "9" * 100_000,
        "A0802",
    ),
}
# Runs a command and says how much memory it took at most, in megabytes.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units")
@pytest.mark.parametrize("name", MONSTERS)
def test_a_refusal_takes_little_memory(name: str, tmp_path: Path) -> None:
    text, code = MONSTERS[name]
    path = tmp_path / "x.arch"
    path.write_text(text)
    words = [sys.executable, "-c", MEASURE, "-m", "s2mlp_dsl", "check", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    exit_code, megabytes = map(int, done.stdout.split())
    assert exit_code == 1 and f"error[{code}]" in done.stderr
    assert megabytes < MEGABYTES


# limit, a small value, a spec that is within the defaults, the code beyond
CASES = {
    "bytes": (20, model("gelu"), "A0801"),
    "digits": (3, HEAD + "let a = 1234\n", "A0802"),
    "nesting": (3, model("residual { residual { residual { gelu } } }"), "A0110"),
    "steps": (50, model("gelu"), "A0806"),
    "groups": (
        2,
        f"{HEAD}shift s {{\nedge keep\neach right -1 .. 1\n}}\n"
        + model("shift(s)")[10:],
        "A0810",
    ),
    "rows": (
        1,
        model("pool(mean)\nlinear(4)")
        + "recipe r {\ndata = synthetic\nepochs = 3\nbatch = 2\n}\n"
        + "study s of m {\nrecipe = r\nvary epochs = [1, 2]\n}\n",
        "A0811",
    ),
    "statements": (3, model("stack 3 { gelu }"), "A0803"),
    "distinct": (
        3,
        model("stack 3 as i { linear(4 + i) }"),
        "A0808",
    ),
    "parameters": (11, model("linear(3)"), "A0804"),
    "map": (3 * 64 * 4 - 1, model("gelu"), "A0805"),
    "activation": (2 * 3 * 64 * 4 - 1, model("gelu"), "A0809"),
}


def test_every_limit_has_a_case() -> None:
    assert {*CASES, "files"} == set(NAMES)


@pytest.mark.parametrize("name", CASES)
def test_a_limit_moves(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value, text, code = CASES[name]
    path = tmp_path / "x.arch"
    path.write_text(text)
    check = Checker(capsys)
    assert check(path).code == 0
    run = check(path, "--limit", f"{name}={value}")
    assert run.code == 1 and f"error[{code}]" in run.err
    assert f"`--limit {name}=…` raises this limit" in run.err
    assert check(path, "--limit", f"{name}={value * 30}").code == 0
    assert limits() == Limits()  # of this command alone


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        (tmp_path / f"f{number}.arch").write_text(
            f'{HEAD}import a from "f{number + 1}.arch"\n'
        )
    (tmp_path / "f4.arch").write_text(f"{HEAD}let a = 1\n")
    check = Checker(capsys)
    assert check(tmp_path / "f0.arch", "--limit", "files=5").code == 0
    assert "error[A0807]" in check(tmp_path / "f0.arch", "--limit", "files=4").err


@pytest.mark.parametrize(
    "given", ["nothing=1", "steps=0", "steps=1.5", "steps=many", "nesting=1K", "steps"]
)
def test_what_is_no_limit(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.arch"
    path.write_text(model("gelu"))
    run = Checker(capsys)(path, "--limit", given)
    assert run.code == 2 and run.err


@pytest.mark.parametrize("depth", [64, 256])
@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [
        ("residual { ", "gelu", " }"),
        ("stack 2 { ", "gelu", " }"),
        ("linear(", "3", ")"),
        ("linear(3 + ", "3", ")"),
    ],
)
def test_nesting_up_to_the_bound(
    depth: int, opening: str, inner: str, closing: str
) -> None:
    """As deep as may be, and one deeper: never Python's own limit."""
    is_call = opening.startswith("linear")

    def text(levels: int) -> str:
        if not is_call:
            return model(opening * levels + inner + closing * levels)
        left, right = opening.removeprefix("linear"), closing
        return model("linear" + left * levels + inner + right * levels)

    with raised(nesting=depth):
        levels = (depth - 2) // (2 if "+" in opening else 1)  # a sum and its bracket
        codes = {code for code, _ in mistakes(text(levels))}
        assert codes <= {"A0803"}  # two to the power of the depth
        assert {code for code, _ in mistakes(text(depth + 1))} == {"A0110"}


def test_calls_up_to_the_bound() -> None:
    def chain(length: int) -> str:
        blocks = [f"block b{i} {{\n    b{i + 1}\n}}" for i in range(length)]
        return (
            "\n".join([HEAD, *blocks, f"block b{length} {{\n    gelu\n}}", ""])
            + (model("b0")[10:])
        )

    with raised(nesting=256):
        assert mistakes(chain(253)) == []
        assert [code for code, _ in mistakes(chain(257))] == ["A0110"]


def test_limits_cannot_be_assigned() -> None:
    """`raised` is the only way to change a limit."""
    with pytest.raises(FrozenInstanceError):
        limits().rows = 7  # type: ignore[misc]
    assert limits() == Limits()
