"""A run folder, rebuilt: what `eval`, `predict` and `export-run` start from."""

from pathlib import Path
from typing import TYPE_CHECKING

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.output import say

if TYPE_CHECKING:
    from torch import nn


def program_of(run: Path, partial: bool = False) -> Program:
    """The program of a run.

    The run keeps its model as a spec without parameters, so the file that it
    was trained from is not needed any more. Raises UsageError if the spec now means
    another function; with `partial` that is only said.
    """
    from s2mlp_dsl.train import Run, UsageError

    opened = Run.open(run)
    program = elaborate(opened.job.model_text)
    now, then = program.figures.function_hash, opened.job.function_hash
    if now != then:
        message = (
            f"{run / 'model.arch'} now means function {now}, but the run trained {then}"
        )
        if not partial:
            raise UsageError(f"{message}: another version or package changed it")
        say(message)
    return program


def rebuild(run: Path, partial: bool = False) -> "tuple[nn.Module, str]":
    """The model of a run, to be given its weights, and its weight hash.

    With `partial` it may get some of them alone, so it has weights of its own.
    """
    program = program_of(run, partial)
    weight_hash = program.figures.weight_hash
    assert weight_hash is not None
    return program.build(initialized=partial), weight_hash
