"""A diagram read back: what its SVG shows, without help of what drew it."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import ImageFont

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.picture import Format
from s2mlp_dsl.pictures.views.model import draw_model

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}title"


def expanded(spec: str, model: str | None = None) -> Model:
    loaded = load(spec if "\n" in spec else ROOT / spec)
    return loaded.expand(loaded.choose_model(model), {})


def drawn(model: Model, format: Format) -> bytes:
    return draw_model(model, analyze_model(model)).render(format)


@dataclass
class Part:
    """A box, a frame or an edge: its name, its texts in order, its tooltip."""

    title: str
    texts: list[str]
    tooltip: str
    element: ET.Element

    def spans(self, fonts: Path) -> list[tuple[str, float, float, float]]:
        """Text, x, y and its width in DejaVu Sans, in points."""
        found = []
        for one in self.element.iter(f"{SVG}text"):
            face = "DejaVuSans-Bold" if one.get("font-weight") else "DejaVuSans"
            text, size = one.text or "", float(one.get("font-size", "0"))
            font = ImageFont.truetype(fonts / f"{face}.ttf", 1000)
            x, y = float(one.get("x", "0")), float(one.get("y", "0"))
            if one.get("text-anchor") == "start" and text.strip():
                found.append((text, x, y, font.getlength(text) * size / 1000))
        return found

    def extents(self, y: float) -> list[tuple[float, float]]:
        """Left and right of each shape that is there at a height."""
        found = []
        for shape in self._shapes():
            xs, ys = [x for x, _ in shape], [y for _, y in shape]
            if min(ys) <= y <= max(ys):
                found.append((min(xs), max(xs)))
        return found

    def points(self) -> list[tuple[float, float]]:
        """All that lines and areas are drawn through."""
        return [point for shape in self._shapes() for point in shape]

    def _shapes(self) -> Iterator[list[tuple[float, float]]]:
        for one in self.element.iter():
            numbers = re.findall(r"-?[\d.]+", one.get("points") or one.get("d") or "")
            if numbers:
                yield [
                    *zip(
                        map(float, numbers[::2]), map(float, numbers[1::2]), strict=True
                    )
                ]


class Picture:
    def __init__(self, svg: bytes) -> None:
        self.root = ET.fromstring(svg)
        self.title = self.root.findtext(f"{SVG}title")
        self.description = self.root.findtext(f"{SVG}desc")
        self.boxes = {one.title: one for one in self._parts("node")}
        # What keeps a column together is no frame: it has no words.
        self.frames = {
            one.title.removeprefix("cluster_"): one
            for one in self._parts("cluster")
            if one.texts
        }
        self.edges = self._parts("edge")
        (whole,) = self._parts("graph")
        self.caption = [
            text.text or "" for text in whole.element.findall(f".//{SVG}text")
        ]

    def _parts(self, kind: str) -> list[Part]:
        found = []
        for group in self.root.iter(f"{SVG}g"):
            if group.get("class") == kind:
                texts = [one.text or "" for one in group.iter(f"{SVG}text")]
                # A blank that levels a line is no text.
                texts = [text for text in texts if text.strip()]
                link = group.find(f".//{SVG}a")
                tooltip = link.get(LINK, "") if link is not None else ""
                title = group.findtext(f"{SVG}title") or ""
                shown = [text.strip() for text in texts]
                found.append(Part(title, shown, tooltip, group))
        return found

    def shapes(self) -> list[str]:
        """What is written along the flow, from top to bottom."""
        return [text for edge in self.edges for text in edge.texts]

    def leaving(self, node: str) -> list[str]:
        """The shapes of the edges that leave a node."""
        return [
            edge.tooltip
            for edge in self.edges
            if re.split(r":\w|->", edge.title)[0] == node
            and edge.tooltip != "skip connection"
        ]


def group_of(head: str, count: str) -> tuple[int, int, Fraction, int]:
    """(right, down, share, channels) of `←2 ↑1   1/8` over `12 channels`."""
    *moves, share = head.replace("\N{NO-BREAK SPACE}", " ").split()
    right = down = 0
    for arrow, amount in re.findall(r"([→←↓↑])(\d*)", "".join(moves)):
        steps = int(amount or 1)
        right += {"→": steps, "←": -steps}.get(arrow, 0)
        down += {"↓": steps, "↑": -steps}.get(arrow, 0)
    channels = int(count.split()[0].replace(",", ""))
    return right, down, Fraction(share), channels


def s2mlp(
    *arguments: str | Path, seed: str = "0", path: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `s2mlp-dsl` with a hash seed, and with `path` as PATH."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
