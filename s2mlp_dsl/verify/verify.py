"""`verify`: all checks of a program, in order, as one certificate."""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from s2mlp_dsl.ir.program import Body, Model, Stack, Statement
from s2mlp_dsl.ir.walk import rebuilt
from s2mlp_dsl.program import VERSION, Program
from s2mlp_dsl.verify.backend_checks import check_backends
from s2mlp_dsl.verify.certificate import Certificate, Check
from s2mlp_dsl.verify.figures import check_figures
from s2mlp_dsl.verify.shift_movement import check_shift_movement
from s2mlp_dsl.verify.structure import check_structure
from s2mlp_dsl.verify.values import check_values

ITERATIONS = 2


def verify_program(
    program: Program, backends: Sequence[str] = (), *, full: bool = False, seed: int = 0
) -> Certificate:
    """Compile a program and compare the module with the IR, then its backends.

    Backends run each distinct block and two iterations of a stack, with `full` the
    whole model.
    """
    # NumPy's threads wait for work by spinning, in the way of PyTorch's: on two busy
    # cores that took ten times as long. The limit holds for the process meanwhile.
    with threadpool_limits(1, user_api="blas"):
        checks = verify_module(program, program.build(), seed)
        if backends:
            short = program if full else shortened(program)
            checks += tuple(check_backends(short, backends, seed))
    return Certificate(
        spec=program.spec.source.name,
        model=program.model.name,
        function_hash=program.function_hash,
        weight_hash=program.weight_hash,
        source_hash=hashlib.sha256(program.source().text.encode()).hexdigest(),
        seed=seed,
        versions={
            "s2mlp-dsl": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        checks=checks,
    )


def verify_module(
    program: Program, module: nn.Module, seed: int = 0
) -> tuple[Check, ...]:
    """Every check of a module that claims to be the program."""
    model = program.model
    return (
        check_structure(model, module),
        *check_figures(model, module),
        check_shift_movement(model, module),
        *check_values(model, module, seed),
    )


def shortened(program: Program) -> Program:
    """The program with at most two iterations of each run of a stack.

    Equal iterations follow each other only where shapes agree, so fewer of them fit as
    well. All definitions stay.
    """
    model = program.model
    blocks = tuple(
        block.model_copy(update={"body": _shorten(block.body)})
        for block in model.blocks
    )
    short = Model(
        name=model.name,
        blocks=blocks,
        body=_shorten(model.body),
        doc=model.doc,
        span=model.span,
    )
    return replace(program, model=short)


def _shorten(body: Body) -> Body:
    def shorten(statement: Statement) -> Statement:
        if not isinstance(statement, Stack):
            return statement
        runs = tuple(
            run.model_copy(update={"count": min(run.count, ITERATIONS)})
            for run in statement.runs
        )
        return statement.model_copy(update={"runs": runs})

    return rebuilt(body, shorten)
