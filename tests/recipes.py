"""The records of recipes in one namespace, as tests use them."""

from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.augmentations.color_jitter import ColorJitter
from s2mlp_dsl.recipe.augmentations.cutmix import CutMix
from s2mlp_dsl.recipe.augmentations.horizontal_flip import HorizontalFlip
from s2mlp_dsl.recipe.augmentations.mixup import Mixup
from s2mlp_dsl.recipe.augmentations.rand_augment import RandAugment
from s2mlp_dsl.recipe.augmentations.random_erasing import RandomErasing
from s2mlp_dsl.recipe.augmentations.random_resized_crop import RandomResizedCrop
from s2mlp_dsl.recipe.augmentations.translate import Translate
from s2mlp_dsl.recipe.contracts import Augmentation
from s2mlp_dsl.recipe.datasets.cifar10 import CIFAR10
from s2mlp_dsl.recipe.datasets.cifar100 import CIFAR100
from s2mlp_dsl.recipe.datasets.digits import Digits
from s2mlp_dsl.recipe.datasets.fashion_mnist import FashionMNIST
from s2mlp_dsl.recipe.datasets.folder import Folder
from s2mlp_dsl.recipe.datasets.imagenet import ImageNet
from s2mlp_dsl.recipe.datasets.synthetic import Synthetic
from s2mlp_dsl.recipe.initialisations.normal import Normal
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.recipe.optimizers.adamw import AdamW
from s2mlp_dsl.recipe.optimizers.sgd import SGD
from s2mlp_dsl.recipe.schedules.cosine import Cosine
from s2mlp_dsl.recipe.schedules.linear import Linear
from s2mlp_dsl.recipe.schedules.step import Step

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "SGD",
    "AdamW",
    "Augmentation",
    "ColorJitter",
    "Cosine",
    "CutMix",
    "Digits",
    "FashionMNIST",
    "Folder",
    "HorizontalFlip",
    "ImageNet",
    "LearningRate",
    "Linear",
    "Mixup",
    "Normal",
    "RandAugment",
    "RandomErasing",
    "RandomResizedCrop",
    "Recipe",
    "Step",
    "Synthetic",
    "Translate",
]
