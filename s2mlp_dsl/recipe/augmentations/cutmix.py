"""CutMix."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import BatchAugmentation, Positive, Transform


class CutMix(BatchAugmentation):
    """CutMix (Yun et al. 2019). With mixup, either one at random."""

    kind: Literal["cutmix"] = "cutmix"
    alpha: Positive = Field(
        1.0, description="the ratio is drawn from Beta(alpha, alpha)"
    )

    def transform(self, classes: int) -> Transform:
        from torchvision.transforms import v2

        return v2.CutMix(alpha=self.alpha, num_classes=classes)
