"""Files that ship with the package but live at the top of the repository.

In a checkout (an editable install) they stand beside the package; a wheel
carries copies inside it. Either way they are found here and nowhere else.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Path of a shipped file such as `grammar/arch.lark` or `specs/s2mlp.arch`.

    The path need not exist: a reader gets the usual `FileNotFoundError`.
    """
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
