"""A graph as DOT, SVG, PNG or PDF.

SVG and PNG come from the renderer that is installed with this package, never
from a system's Graphviz, so that their bytes are the same everywhere. PDF,
which it cannot write, needs the system's `dot`. DOT text needs neither.
"""

import html
import re
import shutil
import subprocess
import sysconfig
from typing import Literal, get_args

from graphviz import Digraph

from s2mlp_dsl.pictures.dot_label import FONT, clean

Form = Literal["dot", "svg", "png", "pdf"]
FORMS: tuple[Form, ...] = get_args(Form)

# Of the same widths, or nearly, where the first is not installed.
_FAMILIES = f"{FONT},Helvetica,Arimo,'Liberation Sans',sans-serif"
_PNG_DPI = 200


class NoRenderer(Exception):
    """A program that the format needs is not installed."""

    exit_code = 4


def render(graph: Digraph, form: Form, title: str, description: str) -> bytes:
    """The picture in one of `FORMS`.

    `title` and `description` are plain text; an SVG carries them for readers
    that do not see it. Raises `NoRenderer`.
    """
    source: bytes = graph.source.encode()
    match form:
        case "dot":
            return source
        case "svg":
            svg = _run([_builtin(), "-Tsvg"], source).decode()
            return _described(svg, title, description).encode()
        case "png":
            return _run([_builtin(), "-Tpng", f"-Gdpi={_PNG_DPI}"], source)
        case "pdf":
            return _undated(_run([_system(), "-Tpdf"], source))


def _builtin() -> str:
    """The renderer beside this Python, which need not be on the PATH."""
    beside = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("graphviz-pure")
    if found is None:
        raise NoRenderer(
            "`graphviz-pure`, which draws SVG and PNG, is not installed: "
            "pip install graphviz-pure, or write a .dot file"
        )
    return found


def _system() -> str:
    found = shutil.which("dot")
    if found is None:
        raise NoRenderer(
            "a PDF needs the program `dot` of Graphviz, which is not installed: "
            "apt install graphviz, brew install graphviz, or write .svg or .png"
        )
    return found


def _run(command: list[str], source: bytes) -> bytes:
    # The built-in renderer warns of letters whose width it guesses; labels are
    # wide enough whatever it guesses (see dot_label.py).
    done = subprocess.run(command, input=source, capture_output=True)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{command[0]} failed: {said}")
    return done.stdout


def _undated(pdf: bytes) -> bytes:
    """With a fixed date of creation, for equal bytes on each run."""
    return re.sub(
        rb"(/CreationDate \(D:)(\d{14})",
        # Of the same length: a PDF counts its bytes.
        lambda found: found[1] + b"20000101000000",
        pdf,
    )


def _described(svg: str, title: str, description: str) -> str:
    """With title and description first, and fonts to fall back to."""
    start = re.search(r"<svg\b[^>]*", svg)
    assert start is not None
    inside = (
        f"\n<title>{html.escape(clean(title))}</title>"
        f"\n<desc>{html.escape(clean(description))}</desc>"
    )
    head, rest = svg[: start.end()] + ' role="img"', svg[start.end() + 1 :]
    # In text a quotation mark is `&quot;`, so this is an attribute.
    rest = rest.replace(f'font-family="{FONT}"', f'font-family="{_FAMILIES}"')
    return f"{head}>{inside}{rest}"
