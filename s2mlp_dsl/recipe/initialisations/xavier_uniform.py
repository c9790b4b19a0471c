"""Xavier initialisation."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Generator, Initialisation, Positive, Tensor


class XavierUniform(Initialisation):
    """Uniform in ±gain · √(6 / (fan in + fan out)) (Glorot and Bengio 2010)."""

    kind: Literal["xavier_uniform"] = "xavier_uniform"
    gain: Positive = Field(1.0, description="factor of the bound")

    def draw(self, weight: Tensor, generator: Generator) -> None:
        from torch.nn.init import xavier_uniform_

        xavier_uniform_(weight, gain=self.gain, generator=generator)
