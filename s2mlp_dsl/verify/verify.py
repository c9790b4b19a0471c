"""`verify`: all proofs of a program, in order, as one certificate."""

import hashlib
import platform

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from s2mlp_dsl.program import VERSION, Program
from s2mlp_dsl.verify.abridge import abridged
from s2mlp_dsl.verify.agreement import check_forms
from s2mlp_dsl.verify.certificate import Certificate, Check
from s2mlp_dsl.verify.figures import check_figures
from s2mlp_dsl.verify.movement import check_movement
from s2mlp_dsl.verify.numeric import check_numbers
from s2mlp_dsl.verify.structure import check_structure


def verify_program(
    program: Program, forms: tuple[str, ...] = (), *, full: bool = False
) -> Certificate:
    """Compile a program and hold the module against the IR, then its other forms.

    The forms are made of each distinct block and two iterations of a stack, with
    `full` of the whole model.
    """
    analysis = program.analysis
    assert analysis.function_hash is not None and analysis.weight_hash is not None
    # NumPy's threads wait for work by spinning, in the way of PyTorch's: on two busy
    # cores that took ten times as long.
    with threadpool_limits(1, user_api="blas"):
        checks = verify_module(program, program.build())
        if forms:
            checks += tuple(check_forms(program if full else abridged(program), forms))
    return Certificate(
        spec=program.spec.source.name,
        model=program.model.name,
        function_hash=analysis.function_hash,
        weight_hash=analysis.weight_hash,
        source_hash=hashlib.sha256(program.source().text.encode()).hexdigest(),
        versions={
            "s2mlp-dsl": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        checks=checks,
    )


def verify_module(program: Program, module: nn.Module) -> tuple[Check, ...]:
    """Every check of a module that claims to be the program."""
    model = program.model
    return (
        check_structure(model, module),
        *check_figures(model, module),
        check_movement(model, module),
        *check_numbers(model, module),
    )
