"""How a model can be run: one file per backend, each compared with the reference.

A backend is a module of this folder with one class; its name is the module's. Packages
add others by the entry point group `s2mlp_dsl.backends`. This file does not import
torch, so that listing backends is quick.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ClassVar

from s2mlp_dsl.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn

    from s2mlp_dsl.program import Program
    from s2mlp_dsl.verify.trials import Outcome, Trial
    from s2mlp_dsl.verify.workload import Workload

    Run = Callable[[Tensor], Tensor]


class Backend:
    """A way to run a model, or one of its statements, on a batch of images."""

    api: ClassVar[int]
    doc: ClassVar[str]  # what is run, for the docs
    slow: ClassVar[bool] = False  # only with --full, or by name
    lowering: ClassVar[str | None] = None  # of the module that it runs
    trains: ClassVar[bool] = True  # else it is frozen in evaluation mode
    differentiable: ClassVar[bool] = True
    any_size: ClassVar[bool] = False  # takes images of any size that the model takes
    no_bfloat16: ClassVar[str | None] = None  # why it has none
    device: str = "cpu"

    def __init__(self, name: str) -> None:
        self.label = name  # in certificates

    @classmethod
    def is_available(cls) -> bool:
        """Whether what it needs is installed."""
        return True

    def build(self, program: "Program") -> "nn.Module":
        """The module that it runs."""
        return program.build(lowering=self.lowering)

    def load(self, program: "Program", net: "nn.Module") -> "Run":
        """The program, with the weights of `net`, which `build` made.

        Gradients flow into the parameters of `net`, or of the result where that is a
        module with parameters of the same names.
        """
        return net

    def load_part(self, part: "nn.Module", x: "Tensor") -> "Run":
        """The module of one statement with the input `x`, to find a wrong one."""
        return part

    def run_all(
        self, workload: "Workload", trials: "list[Trial]"
    ) -> "Iterable[Outcome | Exception] | None":
        """The outcomes of all trials, for a backend that does not run them here."""
        return None

    def settings(self) -> AbstractContextManager[object]:
        """What is set while it runs."""
        return nullcontext()


BACKENDS: Registry[Backend] = Registry(__name__, Backend, needed=("doc",))


def default_backends(full: bool) -> tuple[str, ...]:
    """Ours that can run here; slow ones only with `full`."""
    found = ((name, BACKENDS[name]) for name in BACKENDS.built_in)
    return tuple(
        name for name, one in found if one.is_available() and (full or not one.slow)
    )
