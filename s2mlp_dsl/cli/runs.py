"""A run folder, rebuilt: what `eval`, `predict` and `export-run` start from."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.api import Program, elaborate

if TYPE_CHECKING:
    from torch import nn


def program_of(run: Path) -> Program:
    """The program of a run.

    The run keeps its model as a spec without parameters, so the file that it
    was trained from is not needed any more.
    """
    from s2mlp_dsl.train import Run

    return elaborate(Run.open(run).job.model_text)


def say(line: str) -> None:
    """A line for a person, beside what is printed."""
    print(line, file=sys.stderr)


def rebuild(run: Path, partial: bool = False) -> "tuple[nn.Module, str]":
    """The model of a run, to be given its weights, and its weight hash.

    With `partial` it may get some of them alone, so it has weights of its own.
    """
    program = program_of(run)
    weight_hash = program.figures.weight_hash
    assert weight_hash is not None
    return program.build(initialized=partial), weight_hash
