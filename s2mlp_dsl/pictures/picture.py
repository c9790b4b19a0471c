"""A picture, written as DOT, SVG, PNG or PDF.

SVG and PNG come from the renderer that is installed with this package, never from a
system's Graphviz, so that their bytes are the same everywhere. It cannot write PDF:
that needs the system's `dot`. DOT text needs neither.
"""

import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from graphviz import Digraph

from s2mlp_dsl.escape import xml
from s2mlp_dsl.files import replace_file
from s2mlp_dsl.pictures.labels import FONT

Format = Literal["dot", "svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)
_SUFFIXES: dict[str, Format] = {f".{name}": name for name in FORMATS} | {".gv": "dot"}

# The programs that write formats, and what to do where one is missing.
_BUILTIN = (
    "graphviz-pure",
    "SVG and PNG need `graphviz-pure`, which is not installed: "
    "run `pip install graphviz-pure`, or write a .dot file",
)
_DOT = (
    "dot",
    "PDF needs the program `dot` of Graphviz, which is not installed: "
    "run `apt install graphviz` or `brew install graphviz`, or write .svg or .png",
)
# For systems without the first: fonts of the same widths, or nearly.
_FAMILIES = f"{FONT},Helvetica,Arimo,'Liberation Sans',sans-serif"
_PNG_DPI = 200


class UnknownFormat(ValueError):
    """A file's suffix is not one of a format."""

    exit_code = 2


class NoRenderer(Exception):
    """The program that a format needs is not installed."""

    exit_code = 4


@dataclass(frozen=True)
class Picture:
    """A drawing, with a title and a description for readers who cannot see it."""

    graph: Digraph
    title: str
    description: str

    def render(self, format: Format) -> bytes:
        """The bytes of a file; an SVG carries title and description.

        Raises `NoRenderer`.
        """
        source: bytes = self.graph.source.encode()
        match format:
            case "dot":
                return source
            case "svg":
                return self._with_words(_run(_BUILTIN, source, "-Tsvg")).encode()
            case "png":
                return _run(_BUILTIN, source, "-Tpng", f"-Gdpi={_PNG_DPI}")
            case "pdf":
                return _undated(_run(_DOT, source, "-Tpdf"))

    def save(self, path: str | Path) -> Path:
        """Write a file in the format of its suffix.

        Raises `UnknownFormat` and `NoRenderer`.
        """
        path = Path(path)
        rendered = self.render(format_of(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, rendered)
        return path

    def __repr__(self) -> str:
        return f"Picture({self.title!r})"

    def inline_svg(self) -> str:
        """The SVG as an element of a page: without the prolog of a file."""
        svg = self.render("svg").decode()
        return svg[svg.index("<svg") :]

    _repr_svg_ = inline_svg  # what a notebook shows

    def _with_words(self, svg: bytes) -> str:
        """With title and description first, and fonts to fall back to."""
        text = svg.decode()
        start = re.search(r"<svg\b[^>]*", text)
        assert start is not None
        words = (
            f"\n<title>{xml(self.title)}</title>\n<desc>{xml(self.description)}</desc>"
        )
        head, rest = text[: start.end()] + ' role="img"', text[start.end() + 1 :]
        # In text a quotation mark is `&quot;`, so this is an attribute.
        rest = rest.replace(f'font-family="{FONT}"', f'font-family="{_FAMILIES}"')
        return f"{head}>{words}{rest}"


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix. Raises `UnknownFormat`."""
    known, suffix = ", ".join(_SUFFIXES), path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnknownFormat(f"unknown suffix {path.suffix!r}; use one of {known}")
    return _SUFFIXES[suffix]


def _run(program: tuple[str, str], source: bytes, *options: str) -> bytes:
    name, missing = program
    # Beside this Python, which need not be on the PATH.
    path = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if path is None:
        raise NoRenderer(missing)
    # The built-in renderer warns about letters whose width it guesses; labels are wide
    # enough whatever it guesses (see labels.py).
    done = subprocess.run([path, *options], input=source, capture_output=True)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{name} failed: {said}")
    return done.stdout


def _undated(pdf: bytes) -> bytes:
    """With a fixed date of creation, for equal bytes on each run."""
    return re.sub(
        rb"(/CreationDate \(D:)(\d{14})",
        # Of the same length: a PDF counts its bytes.
        lambda found: found[1] + b"20000101000000",
        pdf,
    )
