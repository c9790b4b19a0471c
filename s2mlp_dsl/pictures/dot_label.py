"""HTML-like labels of DOT, safe for any text and wide enough for any font.

Every text stands at the left of a cell whose width is given here, in points,
as a bound for a wide font. Renderers measure with what fonts they have (the
built-in one takes a letter outside ASCII for a space), and a viewer may show
an SVG in yet another font: with the bound no text leaves its box in any.
"""

import html
import math
import unicodedata
from dataclasses import dataclass

# One family, because the built-in renderer knows metrics for it alone; the
# SVG names others after it (see render.py).
FONT = "Arial"
PADDING = 4

# Advance in em to the characters that are at most so wide in DejaVu Sans, the
# widest face that a sans-serif family falls back to; all others have 1 em.
_ADVANCES = {
    0.36: " .,:;'|/\\ijlI·\N{NO-BREAK SPACE}",
    0.47: '()[]-!"frtJ',
    0.65: "0123456789abcdeghknopqsuvxyz_*?${}`",
    0.85: "ABCDEFGHKLNOPQRSTUVXYZw+<>=~#^&×−",
}
_EM = {one: em for em, several in _ADVANCES.items() for one in several}
_BOLD = 1.12


@dataclass(frozen=True)
class Text:
    """A piece of one line: `size` in whole points, `colour` as `#rrggbb`."""

    text: str
    size: int
    colour: str
    bold: bool = False

    @property
    def width(self) -> float:
        """An upper bound in points."""
        em = sum(_EM.get(one, 1.0) for one in clean(self.text))
        return em * self.size * (_BOLD if self.bold else 1)

    @property
    def markup(self) -> str:
        inner = escape(self.text)
        inner = f"<B>{inner}</B>" if self.bold else inner
        return f'<FONT POINT-SIZE="{self.size}" COLOR="{self.colour}">{inner}</FONT>'


def clean(text: str) -> str:
    """Without what may not stand in XML: control and unassigned characters."""
    return "".join(
        " " if unicodedata.category(one) in {"Cc", "Cs", "Cn"} else one for one in text
    )


def escape(text: str) -> str:
    r"""For the inside of a label, where DOT also gives `\N` a meaning."""
    return html.escape(clean(text)).replace("\\", "&#92;&#92;")


def cell(
    text: Text | None = None, least: float = 0, span: int = 1, level: int = 0
) -> str:
    """A cell with one line of text, at least `least` points wide.

    With `level`, the size of a bold text beside it, both stand on one line.
    """
    columns = f' COLSPAN="{span}"' if span > 1 else ""
    # An empty FONT is a syntax error to system dot.
    inside = text.markup if text and text.text else ""
    # Renderers set a line of one plain piece lower than any other.
    inside += f'<FONT POINT-SIZE="{level}"> </FONT>' if inside and level else ""
    needed = text.width + 2 * PADDING if text else 0
    width = math.ceil(max(least, needed))
    return f'<TD ALIGN="LEFT" WIDTH="{width}"{columns}>{inside}</TD>'


def lines(*texts: Text, fill: str) -> str:
    """A filled cell with several lines of text."""
    width = math.ceil(max(one.width for one in texts) + 2 * PADDING)
    inside = "".join(f'{one.markup}<BR ALIGN="LEFT"/>' for one in texts)
    return (
        f'<TD ALIGN="LEFT" BALIGN="LEFT" WIDTH="{width}" BGCOLOR="{fill}">{inside}</TD>'
    )


def row(*cells: str) -> str:
    return f"<TR>{''.join(cells)}</TR>"


def table(
    *rows: str,
    border: str = "",
    fill: str = "",
    padding: int = 2,
    spacing: int = 0,
) -> str:
    """A table of `rows`; `border` is its colour, none without."""
    attributes = f'CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}"'
    attributes += f' BGCOLOR="{fill}"' if fill else ""
    attributes += f' COLOR="{border}" STYLE="ROUNDED"' if border else ""
    lines = "".join(rows)
    return f'<TABLE BORDER="{1 if border else 0}" {attributes}>{lines}</TABLE>'


def label(markup: str) -> str:
    """Markup as the `graphviz` package wants it, in angle brackets."""
    return f"<{markup}>"
