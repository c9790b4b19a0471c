"""Packages with operators, as pip leaves them, and what a process knows of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2mlp_dsl.operators import BUILT_IN, OPERATORS, SIGNATURES, plugins


def register(folder: Path, owner: str, version: str, entries: dict[str, str]) -> None:
    """What says that a folder on the path belongs to a package with operators."""
    info = folder / f"{owner}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {owner}\nVersion: {version}\n"
    )
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{lines}")


@contextmanager
def looked_for_anew() -> Iterator[None]:
    """What is found inside is not known before, nor afterwards."""
    before = set(sys.modules)
    plugins.offered.cache_clear()
    try:
        yield
    finally:
        plugins.offered.cache_clear()
        for name in OPERATORS.keys() - BUILT_IN:
            del OPERATORS[name], SIGNATURES[name]
        for module in {"s2mlp_grn", "s2mlp_grn.nn", "other", "mine"} - before:
            sys.modules.pop(module, None)
