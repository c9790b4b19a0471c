"""One spec that has all hostile texts which the language takes."""

from functools import cache
from pathlib import Path

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import ChoiceError, load
from tests.hostile import HOSTILE

# A file may have any name that its system allows.
FILE = "".join([*HOSTILE, "\"];<img src=x onerror=alert(1)>'\\{x}\u202e.arch"])
# As artifacts give it, which are UTF-8 and the same on every system.
GIVEN = Path(FILE).as_posix().encode("utf-8", "backslashreplace").decode()


def spec(name: str = "m", label: str = "", doc: str = "") -> str:
    label = f"{label}: " if label else ""
    doc = f'"""{doc}"""\n' if doc else ""
    return (
        f"edition 1\n{doc}block b {{\n    gelu\n}}\n"
        f"{doc}model {name} {{\n    image(2, 2, 2)\n    b\n"
        f"    {label}linear(2)\n    pool(mean)\n}}\n"
    )


def program(text: str) -> Program | None:
    """None where the front end refuses it, which is one right answer."""
    try:
        return elaborate(text)
    except (SpecError, ChoiceError):
        return None


@cache
def labels() -> list[str]:
    """Those that are taken as a label; a comment in its place is none."""
    words = [one for one in dict.fromkeys(HOSTILE) if one.isidentifier()]
    return [one for one in words if program(spec(label=one))]


@cache
def docs() -> list[str]:
    """Those that are taken as a docstring."""
    return [one for one in dict.fromkeys(HOSTILE) if one and program(spec(doc=one))]


@cache
def everything(blocks: bool = True) -> Program:
    """One model with every label and docstring that is taken, of a hostile file.

    Without `blocks` all docstrings are the model's.
    """
    written = [
        f'"""{doc}"""\nblock b{number} {{\n    gelu\n}}\n'
        for number, doc in enumerate(docs() if blocks else [])
    ]
    calls = [f"    b{number}\n" for number in range(len(written))]
    labelled = [f"    {label}: linear(2)\n" for label in labels()]
    body = "".join(["    image(2, 2, 2)\n", *calls, *labelled, "    pool(mean)\n"])
    doc = " ".join(one for one in docs() if not one.endswith(('"', "\\")))
    text = "".join(["edition 1\n", *written, f'"""{doc} ."""\nmodel m {{\n{body}}}\n'])
    return elaborate(load(text, FILE))
