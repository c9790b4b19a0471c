"""The error of a model that cannot be lowered as asked."""

from typing import Any

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.diagnostics import Message, SpecError
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.source import Source, Span


class CannotLower(SpecError):
    """A model cannot be lowered as asked, or what it is lowered to computes another.

    `statement` is the module path of the statement to blame, None where it is the
    model. `fields` are those of the message's templates.
    """

    def __init__(
        self,
        message: Message,
        model: Model,
        *,
        statement: str | None = None,
        span: Span | None = None,
        **fields: Any,
    ) -> None:
        self.statement = statement
        if statement is not None:
            span = dataflow(model).nodes[statement]["span"]
        # A model that was not read from a text can only be named.
        place = span or model.span or Span(Source(model.name, ""), 0, 0)
        super().__init__([message.at(place, **fields)])
