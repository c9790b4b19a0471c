"""Kaiming initialisation."""

from typing import Literal

from s2mlp_dsl.recipe.contracts import Generator, Initialisation, Tensor


class KaimingNormal(Initialisation):
    """Normal with standard deviation √(2 / fan in) (He et al. 2015)."""

    kind: Literal["kaiming_normal"] = "kaiming_normal"

    def draw(self, weight: Tensor, generator: Generator) -> None:
        from torch.nn.init import kaiming_normal_

        kaiming_normal_(weight, nonlinearity="relu", generator=generator)
