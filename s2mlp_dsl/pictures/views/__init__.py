"""What can be drawn of a model: one file per view.

A view is a module of this folder with one class; its name is the module's, with
hyphens. Packages add others by the entry point group `s2mlp_dsl.views`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.theme import THEMES, Theme, ThemeName
from s2mlp_dsl.registry import Registry

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program


class CannotDraw(Exception):
    """There is no such picture of this model; the message says what to do instead."""

    exit_code = 2


class View:
    """One kind of picture."""

    api: ClassVar[int]
    doc: ClassVar[str]  # a line for help and docs
    needs_torch: ClassVar[bool] = False  # which only `draw` imports then
    # The options of `draw`, each with a line for help.
    options: ClassVar[Mapping[str, str]] = {}

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        """The picture of a program. Raises `CannotDraw`."""
        raise NotImplementedError


VIEWS: Registry[View] = Registry(__name__, View, needed=("doc", "draw"), hyphens=True)


def draw(
    program: "Program", view: str, theme: ThemeName, options: Mapping[str, str | None]
) -> Picture:
    """A view by name. Options that are None are left out.

    Raises `CannotDraw`, also for unknown names, and `RegistrationError`.
    """
    for kind, name, known in (("view", view, VIEWS), ("theme", theme, THEMES)):
        if name not in known:
            raise CannotDraw(f"unknown {kind} {name!r}; use one of {', '.join(known)}")
    found = VIEWS[view]()
    given = {name: value for name, value in options.items() if value is not None}
    for name in given.keys() - found.options.keys():
        raise CannotDraw(f"the view {view!r} has no option {name!r}")
    return found.draw(program, THEMES[theme], **given)
