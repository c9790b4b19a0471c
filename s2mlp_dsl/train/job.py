"""What goes into a run, and what comes out of it."""

from typing import Literal

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe import Recipe


class Start(Record):
    """The file of a run's initial weights, and its SHA-256."""

    source: str
    sha256: str


class Job(Record):
    """A model and a recipe, as far as the runner must know them.

    `image` is (channels, height, width); `macs` are per image. `spec` is a name to
    show. `model_text` is the model as a self-contained spec, from which a run folder
    can rebuild it. Two models with one `weight_hash` have the same weights by name and
    shape. `start` says where the initial weights came from, if not from the model as
    built.
    """

    model_name: str
    spec: str
    image: tuple[int, int, int]
    classes: int
    function_hash: str
    weight_hash: str
    model_text: str
    recipe: Recipe
    recipe_name: str
    macs: int | None = None
    start: Start | None = None


class Summary(Record):
    """The end of a run. Accuracies are fractions of the test images.

    `seconds` counts all sessions of the run; `images_per_second` and
    `data_wait_share` count its training steps alone, without tests and saves.
    `mfu` is the model FLOPs utilisation of the GPUs, null if their peak is not known.
    `skipped_images` counts how often another image replaced an unreadable one,
    `unreadable_test_images` those that the last test left out.
    """

    finished: Literal[True] = True
    model_name: str
    recipe_name: str
    accuracy: float
    loss: float
    best_accuracy: float
    best_epoch: int
    epochs: int
    steps: int
    seconds: float
    images_per_second: float
    data_wait_share: float
    mfu: float | None
    peak_memory_bytes: int
    skipped_images: int
    unreadable_test_images: int
    device: str
    devices: int
    precision: str
    checkpoint: str


class ClassAccuracy(Record):
    """Accuracy on the images of one class, null where there are none."""

    name: str
    images: int
    correct: int
    accuracy: float | None


class Evaluation(Record):
    """A test of one set of weights. `accuracy` is a fraction of `images`.

    `top5` is the fraction whose class is among the five most probable. `loss` is the
    mean cross entropy in nats, without label smoothing. `confusion[a][b]` counts images
    of class a that were classified as b; null during training and beyond 2,000 classes.
    `unreadable` images are not among `images`. `skipped` names newer checkpoints that
    are damaged, and how. `left_out` says which files and classes of the data are not
    used.
    """

    accuracy: float
    top5: float
    loss: float
    images: int
    correct: int
    classes: tuple[ClassAccuracy, ...]
    confusion: tuple[tuple[int, ...], ...] | None = None
    unreadable: int = 0
    checkpoint: str | None = None
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Guess(Record):
    """A class and its predicted probability."""

    name: str
    index: int
    probability: float


class Prediction(Record):
    """The most probable classes of an image file, best first."""

    path: str
    checkpoint: str
    top: tuple[Guess, ...]
