"""What an operator says about dependence between positions.

Plain data, so that operators walk no graph. Positions of a map are numbered
row by row: position (y, x) is y · width + x.
"""

from dataclasses import dataclass
from typing import Literal

# For each output position, the input positions it reads.
Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Part:
    """Some channels (a bit mask, None for all) and what they read.

    `here` reads the same position, `all` every position.
    """

    channels: int | None
    reads: Literal["here", "all"] | Table


@dataclass(frozen=True)
class Reach:
    """`mixes`: every output channel depends on every input channel it reads."""

    mixes: bool
    parts: tuple[Part, ...] = (Part(None, "here"),)


POINTWISE = Reach(mixes=False)
MIXING = Reach(mixes=True)
GLOBAL = Reach(mixes=False, parts=(Part(None, "all"),))
