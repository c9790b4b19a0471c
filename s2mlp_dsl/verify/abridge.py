"""A program with every distinct block and short stacks: what a quick proof runs."""

from dataclasses import replace

from s2mlp_dsl.ir.program import Model, Region, Stack, Statement
from s2mlp_dsl.program import Program

ITERATIONS = 2


def abridged(program: Program) -> Program:
    """The program with at most two iterations of each run of a stack.

    Equal iterations follow each other only where shapes agree, so fewer of them
    fit as well. All definitions stay.
    """
    model = program.model
    blocks = tuple(
        block.model_copy(update={"body": _body(block.body)}) for block in model.blocks
    )
    short = Model(
        name=model.name,
        blocks=blocks,
        body=_body(model.body),
        doc=model.doc,
        span=model.span,
    )
    return replace(program, model=short)


def _body(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    return tuple(map(_statement, body))


def _statement(statement: Statement) -> Statement:
    if isinstance(statement, Stack):
        runs = tuple(
            run.model_copy(update={"count": min(run.count, ITERATIONS)})
            for run in statement.runs
        )
        return statement.model_copy(update={"runs": runs})
    if isinstance(statement, Region):
        return statement.model_copy(update={"body": _body(statement.body)})
    update: dict[str, object] = {}
    if hasattr(statement, "branches"):
        update["branches"] = tuple(map(_body, statement.branches))
    elif hasattr(statement, "body"):
        update["body"] = _body(statement.body)
    return statement.model_copy(update=update)
