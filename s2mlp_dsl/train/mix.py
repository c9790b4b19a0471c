"""mixup and CutMix: pairs of images of one batch, on the device."""

from torch import Tensor
from torchvision.transforms import v2

from s2mlp_dsl.ir import recipe
from s2mlp_dsl.train.errors import UsageError


class Mix:
    """The recipe's mixing of a batch; where there are two, either at random.

    Draws from torch's global generators, which the loop sets at each step.
    """

    def __init__(self, chosen: recipe.Recipe, classes: int) -> None:
        self.kinds: list[v2.Transform] = []
        for entry in chosen.augment:
            match entry:
                case recipe.Mixup(alpha=alpha):
                    self.kinds.append(v2.MixUp(alpha=alpha, num_classes=classes))
                case recipe.CutMix(alpha=alpha):
                    self.kinds.append(v2.CutMix(alpha=alpha, num_classes=classes))
                case _:
                    pass  # of single images, see augment.py
        if self.kinds and chosen.batch < 2:
            raise UsageError("mixup and cutmix need a batch of at least 2 images")
        if self.kinds and classes < 2:
            raise UsageError("mixup and cutmix need at least 2 classes")
        self.pick = v2.RandomChoice(self.kinds) if self.kinds else None

    def __call__(self, images_BCHW: Tensor, labels_B: Tensor) -> tuple[Tensor, Tensor]:
        """Images and class numbers → images and targets.

        Targets are class numbers [B] if nothing mixes, else shares [B, classes].
        """
        if self.pick is None:
            return images_BCHW, labels_B
        mixed_BCHW, targets = self.pick(images_BCHW, labels_B)
        return mixed_BCHW, targets
