"""The colours of pictures: light, dark, and print.

Directions have hues of Okabe and Ito (2008), which differ for any colour vision. In
print everything is grey, and the arrows alone show directions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# Signs of a displacement: right, down, later.
Signs = tuple[int, int, int]
ThemeName = Literal["light", "dark", "print"]


# Shares of the model's MACs from which a box is one shade darker.
SHADES = (0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`. Text on every fill has a contrast above 4.5 : 1."""

    paper: str
    ink: str  # names, arrows
    quiet: str  # figures, shapes, captions
    border: str  # of boxes
    line: str  # borders of clusters, skip connections
    plain: str  # fill of a statement without weights
    shades: tuple[str, str, str, str]  # fills with weights, by share of the MACs
    stacked: str  # fill of clusters
    seen: str  # a position in the receptive field
    chosen: str  # the position that it is the receptive field of
    tints: Mapping[Signs, str]  # fill of a group, by its direction
    arrows: Mapping[Signs, str]  # arrow of a group, by its direction

    def shade(self, share: float | None) -> str:
        """The fill of a statement, by its share of the model's MACs if it has any."""
        if share is None:
            return self.plain
        return self.shades[sum(share >= least for least in SHADES)]

    def tint(self, signs: Signs) -> str:
        """The fill of a group; oblique moves in time have no colour of their own."""
        return self.tints.get(signs, self.tints[0, 0, 0])

    def arrow(self, signs: Signs) -> str:
        return self.arrows.get(signs, self.ink)


_ORDER: tuple[Signs, ...] = (
    *((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (1, 1, 0), (-1, -1, 0)),
    *((1, -1, 0), (-1, 1, 0), (0, 0, 1), (0, 0, -1), (0, 0, 0)),
)


def _by_direction(colours: str) -> Mapping[Signs, str]:
    return dict(zip(_ORDER, [f"#{one}" for one in colours.split()], strict=True))


LIGHT = Theme(
    paper="#ffffff",
    ink="#1a1a1a",
    quiet="#555555",
    border="#5a5a5a",
    line="#8a8a8a",
    plain="#ffffff",
    shades=("#eef2f8", "#dfe7f1", "#ccdaec", "#b7cce6"),
    stacked="#f6f6f4",
    seen="#7fb2d9",
    chosen="#b34700",
    tints=_by_direction(
        "b3d4ea f8dca6 b3e2d5 eed2e0 ccebfa f6cdb0 dfe3f5 f9f4b8 ccebfa f6cdb0 ececec"
    ),
    arrows=_by_direction(
        "0072b2 b87700 007a5a b05088 2a86b8 d55e00 5a66b0 8a7d00 2a86b8 d55e00 1a1a1a"
    ),
)

DARK = Theme(
    paper="#16181c",
    ink="#f0f0ee",
    quiet="#b9bcc2",
    border="#8d9097",
    line="#7d8087",
    plain="#1f2227",
    shades=("#222a36", "#263446", "#2b4059", "#304d70"),
    stacked="#1b1e23",
    seen="#2f6a96",
    chosen="#ffb066",
    tints=_by_direction(
        "14425e 5a4008 0b4a3a 562a44 1f4d66 5e2f10 333a5e 4a4606 1f4d66 5e2f10 34373c"
    ),
    arrows=_by_direction(
        "6cb8e6 f0b840 4cc8a4 e09ac4 8ad0f4 f59a5a a4aef0 e8dc50 8ad0f4 f59a5a f0f0ee"
    ),
)

PRINT = Theme(
    paper="#ffffff",
    ink="#000000",
    quiet="#404040",
    border="#404040",
    line="#808080",
    plain="#ffffff",
    shades=("#f4f4f4", "#e8e8e8", "#dadada", "#cccccc"),
    stacked="#fafafa",
    seen="#a8a8a8",
    chosen="#000000",
    tints=dict.fromkeys(_ORDER, "#ebebeb") | {(0, 0, 0): "#ffffff"},
    arrows=dict.fromkeys(_ORDER, "#000000"),
)

THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK, "print": PRINT}
