"""Packages with operators, as pip leaves them, and what a process knows of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2mlp_dsl.operators import OPERATORS
from s2mlp_dsl.registry import forget_packages


def register(folder: Path, owner: str, version: str, entries: dict[str, str]) -> None:
    """What says that a folder on the path belongs to a package with operators."""
    info = folder / f"{owner}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {owner}\nVersion: {version}\n"
    )
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[{OPERATORS.group}]\n{lines}")


@contextmanager
def looked_for_anew() -> Iterator[None]:
    """What is found inside is not known before, nor afterwards."""
    before = set(sys.modules)
    forget_packages()
    try:
        yield
    finally:
        forget_packages()
        for module in sys.modules.keys() - before:
            if module.partition(".")[0] in ("s2mlp_grn", "other", "mine"):
                del sys.modules[module]
