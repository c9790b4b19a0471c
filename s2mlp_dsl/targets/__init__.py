"""What a model can be written as: one file per target.

A target is a module of this folder with one class; its name is the module's. Packages
add others by the entry point group `s2mlp_dsl.targets`. Target files import torch only
inside of `emit`, so that listing them is quick.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from s2mlp_dsl.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.program import Program


@dataclass(frozen=True)
class Request:
    """What a target is asked to write.

    `lowering` forces a shift implementation. `build` makes the module, with trained
    weights where there are some, and shifts computed as the target prefers.
    """

    program: "Program"
    lowering: str | None
    device: str
    build: "Callable[[], nn.Module]"


class Target:
    """A file format. Binary ones contain weights and are never printed."""

    api: ClassVar[int]
    suffix: ClassVar[str]
    doc: ClassVar[str]  # a line for help and docs
    binary: ClassVar[bool] = False
    reproducible: ClassVar[bool] = True  # the same bytes every time
    # The shift implementation of the module; None: the one for the device.
    shifts: ClassVar[str | None] = None

    def emit(self, request: Request) -> bytes:
        """The file. Text is UTF-8.

        Raises `CannotLower` (A0901, A0902) where the format cannot express the model or
        its own runtime computes something else.
        """
        raise NotImplementedError


TARGETS: Registry[Target] = Registry(
    __name__, Target, needed=("suffix", "doc", "emit"), hyphens=True
)
