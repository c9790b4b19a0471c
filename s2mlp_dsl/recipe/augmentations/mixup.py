"""mixup."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import BatchAugmentation, Positive, Transform


class Mixup(BatchAugmentation):
    """mixup (Zhang et al. 2018)."""

    kind: Literal["mixup"] = "mixup"
    alpha: Positive = Field(
        0.8, description="the ratio is drawn from Beta(alpha, alpha)"
    )

    def transform(self, classes: int) -> Transform:
        from torchvision.transforms import v2

        return v2.MixUp(alpha=self.alpha, num_classes=classes)
