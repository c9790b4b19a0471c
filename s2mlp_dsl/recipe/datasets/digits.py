"""scikit-learn's handwritten digits."""

from pathlib import Path
from typing import ClassVar, Literal

from s2mlp_dsl.recipe.contracts import Arrays, DataSet, ImageSize

TEST_IMAGES = 360


class Digits(DataSet):
    """scikit-learn's 1,797 digits, 8×8, ten classes; 360 for the test, stratified."""

    kind: Literal["digits"] = "digits"
    built_in: ClassVar[bool] = True

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays:
        """The split has seed 0, whatever the recipe's seed."""
        import torch
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        from s2mlp_dsl.data import memory

        bunch = load_digits()
        parts = train_test_split(
            bunch.images,
            bunch.target,
            test_size=TEST_IMAGES,
            random_state=0,
            stratify=bunch.target,
        )
        train, test, train_labels, test_labels = (torch.as_tensor(p) for p in parts)
        return memory.Arrays(
            train=(train[:, None].to(torch.uint8), train_labels.long()),
            test=(test[:, None].to(torch.uint8), test_labels.long()),
            class_names=tuple(str(name) for name in bunch.target_names),
            white=16,
            resizable=False,
        )
