"""The operators' own initialisation."""

from typing import Literal

from s2mlp_dsl.recipe.contracts import Generator, Initialisation, Tensor


class Default(Initialisation):
    """As the operator defines it (`s2mlp-dsl ops linear`); biases too."""

    kind: Literal["default"] = "default"

    def draw(self, weight: Tensor, generator: Generator) -> None:
        raise AssertionError("what an operator is built with is left as it is")
