"""What was checked, with what, and the result."""

import json
from typing import Any, Literal

import networkx as nx
from pydantic import computed_field

from s2mlp_dsl.ir.node import Node, Record


class Failure(Node):
    """Something that differs from the IR, and the statement it belongs to.

    `code` is that of the diagnostic where a target cannot express the model.
    """

    statement: str
    message: str
    code: str | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def file(self) -> str | None:
        """The file of the statement: the spec, or one it imports."""
        return self.span.source.name if self.span else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def line(self) -> int | None:
        """Its line in that file."""
        return self.span.line if self.span else None


def failure(graph: nx.DiGraph, node: str, message: str) -> Failure:
    """A failure of a node of the dataflow graph, or of a module that is not in it."""
    span = graph.nodes[node]["span"] if node in graph else None
    return Failure(statement=node, message=message, span=span)


class Check(Record):
    """One kind of comparison, of `cases` things, which may be none.

    `evidence` is "proved" where the result does not depend on the inputs, else
    "verified": it was tried on `inputs` of these sizes. `worst` is the largest relative
    error, for checks that measure one, `at` the statement it belongs to, and
    `tolerance` its bound. `omitted` says why a check was not done: then nothing is
    known, and nothing failed.
    """

    name: str
    what: str
    cases: int
    evidence: Literal["proved", "verified"] = "verified"
    inputs: tuple[tuple[int, ...], ...] = ()
    worst: float | None = None
    at: str | None = None
    tolerance: float | None = None
    omitted: str | None = None
    failures: tuple[Failure, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        return not self.failures


class Certificate(Record):
    """The result of `verify`: one record that can be kept with the artifact.

    `source_hash` is the SHA-256 of the emitted text that was built and checked, `seed`
    that of all random weights and inputs.
    """

    spec: str
    model: str
    function_hash: str
    weight_hash: str
    source_hash: str
    seed: int
    versions: dict[str, str]
    checks: tuple[Check, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_data(self) -> dict[str, Any]:
        """JSON-ready; an error that is not finite is null."""
        data: dict[str, Any] = json.loads(self.model_dump_json())
        return data
