"""A program with every distinct block and short stacks: what a quick proof runs."""

from dataclasses import replace

from s2mlp_dsl.ir.program import Model, Stack, Statement
from s2mlp_dsl.ir.walk import rebuilt
from s2mlp_dsl.program import Program

ITERATIONS = 2


def abridged(program: Program) -> Program:
    """The program with at most two iterations of each run of a stack.

    Equal iterations follow each other only where shapes agree, so fewer of them
    fit as well. All definitions stay.
    """
    model = program.model
    blocks = tuple(
        block.model_copy(update={"body": rebuilt(block.body, _shortened)})
        for block in model.blocks
    )
    short = Model(
        name=model.name,
        blocks=blocks,
        body=rebuilt(model.body, _shortened),
        doc=model.doc,
        span=model.span,
    )
    return replace(program, model=short)


def _shortened(statement: Statement) -> Statement:
    if not isinstance(statement, Stack):
        return statement
    runs = tuple(
        run.model_copy(update={"count": min(run.count, ITERATIONS)})
        for run in statement.runs
    )
    return statement.model_copy(update={"runs": runs})
