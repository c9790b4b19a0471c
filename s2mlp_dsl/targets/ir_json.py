"""The IR as JSON, by a published schema (docs/ir.schema.json)."""

import json
from typing import Any, Literal

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.targets.identity import Identity


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


def ir_json_text(model: Model, identity: Identity) -> str:
    """The document, the same bytes every time."""
    document = IrDocument(
        version=identity.version,
        spec=identity.spec,
        function_hash=identity.function_hash,
        weight_hash=identity.weight_hash,
        model=model,
    )
    return json.dumps(document.model_dump(mode="json"), indent=1) + "\n"


def ir_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    schema = IrDocument.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
