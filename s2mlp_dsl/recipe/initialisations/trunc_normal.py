"""Truncated normal distribution."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Generator, Initialisation, Positive, Tensor


class TruncNormal(Initialisation):
    """Normal, drawn again beyond two standard deviations."""

    kind: Literal["trunc_normal"] = "trunc_normal"
    std: Positive = Field(0.02, description="standard deviation before the cut")

    def draw(self, weight: Tensor, generator: Generator) -> None:
        from torch.nn.init import trunc_normal_

        most = 2 * self.std
        trunc_normal_(weight, std=self.std, a=-most, b=most, generator=generator)
