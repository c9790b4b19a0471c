"""Two thousand mutations of the shipped specs, each through the whole of `check`.

Never a traceback, never more than a second, exit code 0 or 1. The inputs are
made from a seed, so a failure comes back: its number is the test's parameter.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from s2mlp_dsl.shipped import shipped
from tests.diagnostics.running import Checker, run_process

INPUTS = 2000  # the first 500 in every run, all of them with `-m "slow or not slow"`
BATCH = 100
EVERY_RUN = 500
SPECS = sorted(shipped("specs").glob("*.arch"))
TOKEN = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|#[^\n]*|\w+|[^\w\s]|[^\S\n]+|\n')
WORDS = """
    == ~= .. 1/4 1/0 -1 0 999_999_999 1e60 1e61 0.5 51Mi dim none layer affine mean
    stack residual then as shift block model claim recipe let import from edge keep
    replicate zeros circular reflect rest each interleave right left up down later stay
    gelu image(3,8,8) patch(4,8) linear(dim) norm(layer) depthwise(3)
    pool(mean) shift(cross)
    s2mlp_block [0] (1,2) full_receptive_field params() op(norm)
    edition choose(1==1,2,3)
"""
IMPORTS = """
    import cross from "s2mlp.arch"
    import s2mlp from "std:s2mlp"
    import a from ".."
"""
PIECES = [
    *'{}()[]=:,+-*/<>~%_."#\n\t\0\r;@é²\u202e',
    '"""',
    *WORDS.split(),
    *IMPORTS.splitlines(),
]

Mutation = Callable[[random.Random, str], str]


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def delete_tokens(chance: random.Random, text: str) -> str:
    tokens = _tokens(text)
    start = chance.randrange(len(tokens) or 1)
    del tokens[start : start + chance.choice([1, 1, 1, 2, 5])]
    return "".join(tokens)


def double_token(chance: random.Random, text: str) -> str:
    tokens = _tokens(text)
    place = chance.randrange(len(tokens) or 1)
    tokens[place:place] = tokens[place : place + 1] * chance.choice([1, 1, 3, 100])
    return "".join(tokens)


def swap_tokens(chance: random.Random, text: str) -> str:
    tokens = _tokens(text)
    if not tokens:
        return text
    one, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def replace_token(chance: random.Random, text: str) -> str:
    tokens = _tokens(text)
    if tokens:
        tokens[chance.randrange(len(tokens))] = chance.choice(PIECES)
    return "".join(tokens)


def insert_piece(chance: random.Random, text: str) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(PIECES) + text[place:]


def change_number(chance: random.Random, text: str) -> str:
    numbers = list(re.finditer(r"\b\d[\d_]*", text))
    if not numbers:
        return text
    one = chance.choice(numbers)
    new = chance.choice(["0", "1", "2", "7", "30", "1000", "999999", "10" * 20])
    return text[: one.start()] + new + text[one.end() :]


def change_lines(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    what = chance.randrange(4)
    if what == 0:
        del lines[one]
    elif what == 1:
        lines.insert(other, lines[one])
    elif what == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] = lines[one].rstrip("\n")
    return "".join(lines)


def change_character(chance: random.Random, text: str) -> str:
    place = chance.randrange(len(text) + 1)
    new = chance.choice(["", chr(chance.randrange(0x250)), chr(chance.randrange(128))])
    return text[:place] + new + text[place + 1 :]


def splice(chance: random.Random, text: str) -> str:
    other = chance.choice(SPECS).read_text(encoding="utf-8")
    start = chance.randrange(len(other))
    return text[: chance.randrange(len(text) + 1)] + other[start:]


MUTATIONS: list[Mutation] = [
    delete_tokens,
    double_token,
    swap_tokens,
    replace_token,
    insert_piece,
    change_number,
    change_lines,
    change_character,
    splice,
]


def mutated(number: int) -> str:
    """The input of this number: a spec after one to five mutations."""
    chance = random.Random(number)
    text = chance.choice(SPECS).read_text(encoding="utf-8")
    for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
        text = chance.choice(MUTATIONS)(chance, text)
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped specs, so that imports are found, and room for one more."""
    for path in SPECS:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=[] if first < EVERY_RUN else [pytest.mark.slow])
        for first in range(0, INPUTS, BATCH)
    ],
)
def test_check_survives(
    first: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Checker(capsys)
    for number in range(first, first + BATCH):
        path = folder / "mutated.arch"
        path.write_bytes(mutated(number).encode("utf-8", "surrogatepass"))
        run = check(path)
        assert run.code in (0, 1), f"{number}: {run.err}"
        assert (run.code == 0) == ("error[" not in run.err), number
        assert "Traceback" not in run.err and "bug:" not in run.err


@pytest.mark.parametrize("number", range(0, 12, 3))
def test_in_a_process_of_its_own(number: int, folder: Path) -> None:
    path = folder / "mutated.arch"
    path.write_text(mutated(number), encoding="utf-8")
    run = run_process("check", path)
    assert run.code in (0, 1)
    assert "Traceback" not in run.err
