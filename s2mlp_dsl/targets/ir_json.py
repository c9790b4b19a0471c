"""The IR as JSON, with a published schema (docs/ir.schema.json)."""

import json
from typing import Any, Literal

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.targets import Request, Target


class IrDocument(Record):
    """A model without parameters: names resolved, every shape known.

    `Model.model_validate` takes `model` back to an equal IR.
    """

    format: Literal["s2mlp-dsl ir 1"] = "s2mlp-dsl ir 1"
    version: str
    spec: str
    function_hash: str
    weight_hash: str
    model: Model


class IrJson(Target):
    """For programs that read models."""

    api = 1
    suffix = ".json"
    doc = "the model without parameters, as JSON (docs/ir.schema.json)"

    def emit(self, request: Request) -> bytes:
        program = request.program
        document = IrDocument(
            version=program.version,
            spec=program.spec_name,
            function_hash=program.function_hash,
            weight_hash=program.weight_hash,
            model=program.model,
        )
        return (json.dumps(document.model_dump(mode="json"), indent=1) + "\n").encode()


def ir_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    schema = IrDocument.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
