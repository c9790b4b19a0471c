"""The colours of a diagram."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`. Text on every fill has a contrast above 4.5 : 1."""

    paper: str
    ink: str  # names, arrows
    quiet: str  # figures, shapes, captions
    border: str  # of boxes
    line: str  # borders of clusters, skip connections
    plain: str  # fill of a statement without weights
    weighted: str  # fill of a statement with weights
    stacked: str  # fill of what is repeated


# Black on white with two light tints, so that it prints in grey.
LIGHT = Theme(
    paper="#ffffff",
    ink="#1a1a1a",
    quiet="#555555",
    border="#5a5a5a",
    line="#8a8a8a",
    plain="#ffffff",
    weighted="#dfe7f1",
    stacked="#f6f6f4",
)

# Okabe and Ito (2008), told apart with any colour vision, as light tints. By
# the signs of a displacement (right, down, later).
DIRECTIONS = {
    (1, 0, 0): "#b3d4ea",  # blue
    (-1, 0, 0): "#f8dca6",  # orange
    (0, 1, 0): "#b3e2d5",  # bluish green
    (0, -1, 0): "#eed2e0",  # reddish purple
    (1, 1, 0): "#ccebfa",  # sky blue
    (-1, -1, 0): "#f6cdb0",  # vermilion
    (1, -1, 0): "#dfe3f5",
    (-1, 1, 0): "#f9f4b8",  # yellow
    (0, 0, 1): "#ccebfa",
    (0, 0, -1): "#f6cdb0",
    (0, 0, 0): "#ececec",
}
