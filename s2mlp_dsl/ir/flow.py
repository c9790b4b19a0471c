"""Carrying a value along the data flow of a program.

A pass says what operators, sums and branches do to its value; the structure is
followed here.
"""

from typing import Generic, TypeVar

from s2mlp_dsl.ir.program import (
    Body,
    Invocation,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Run,
    Statement,
)

V = TypeVar("V")


class Flow(Generic[V]):
    """Carries a value through bodies, from the input of a statement to its output.

    `path` is the name of a statement's module, as in `Visit`; of a composite, the
    prefix of the modules inside.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def op(self, op: Op, value: V, path: str) -> V:
        """The output of an operator."""
        raise NotImplementedError

    def add(self, residual: Residual, value: V, branch: V) -> V:
        """The sum of a residual's input and its branch."""
        raise NotImplementedError

    def split(self, parallel: Parallel, value: V) -> list[V]:
        """The input of each branch."""
        raise NotImplementedError

    def join(self, parallel: Parallel, outputs: list[V]) -> V:
        """The input of the merge, from the outputs of the branches."""
        raise NotImplementedError

    def region(self, region: Region, value: V, prefix: str) -> V:
        return self.body(region.sequence, value, prefix)

    def invocation(self, statement: Invocation, value: V, prefix: str) -> V:
        for module, run in statement.modules():
            value = self.run(run, value, f"{prefix}{module}.")
        return value

    def run(self, run: Run, value: V, prefix: str) -> V:
        """All iterations of a run."""
        for _ in range(run.count):
            value = self.body(self.model.definitions[run.block].body, value, prefix)
        return value

    def body(self, body: Body, value: V, prefix: str = "") -> V:
        for statement in body:
            value = self.statement(statement, value, prefix)
        return value

    def statement(self, statement: Statement, value: V, prefix: str) -> V:
        match statement:
            case Op():
                return self.op(statement, value, prefix + statement.name)
            case Residual():
                return self.add(
                    statement, value, self.body(statement.body, value, prefix)
                )
            case Parallel(merge=merge):
                inputs = self.split(statement, value)
                outputs = [
                    self.body(branch, entering, prefix)
                    for branch, entering in zip(statement.branches, inputs, strict=True)
                ]
                joined = self.join(statement, outputs)
                return self.op(merge, joined, prefix + merge.name)
            case Region():
                return self.region(statement, value, prefix)
            case Invocation():
                return self.invocation(statement, value, prefix)
