"""Normal distribution."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Generator, Initialisation, Positive, Tensor


class Normal(Initialisation):
    """Normal with mean 0."""

    kind: Literal["normal"] = "normal"
    std: Positive = Field(0.02, description="standard deviation")

    def draw(self, weight: Tensor, generator: Generator) -> None:
        from torch.nn.init import normal_

        normal_(weight, std=self.std, generator=generator)
