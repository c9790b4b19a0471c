"""Step decay."""

from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Positive, Proportion, Schedule


class Step(Schedule):
    """The rate times `gamma` after each `step_size`, not below `min_lr`."""

    kind: Literal["step"] = "step"
    step_size: Annotated[Positive, "length"] = Field(
        description="length between two decays"
    )
    gamma: Proportion = Field(0.1, description="factor of each decay")

    def decayed(self, step: int, lr: float, steps: int) -> float:
        decays: float = step // self.step_size
        factor: float = self.gamma**decays
        return max(lr * factor, self.min_lr)
