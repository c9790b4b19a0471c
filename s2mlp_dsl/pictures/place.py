"""Where in a program one draws, and what flows there."""

from dataclasses import dataclass

from s2mlp_dsl.ir.shape import Shape


@dataclass(frozen=True)
class Place:
    """Where statements stand: the prefix of their paths, how often they run."""

    prefix: str
    times: int


@dataclass(frozen=True)
class Flow:
    """What leaves a drawn statement: the node that it leaves, and its shape."""

    node: str
    shape: Shape


# On which side a skip connection goes, and the nodes that it passes.
Skip = tuple[bool, list[str]]


@dataclass
class Parted:
    """Columns that are being drawn: from which height, down to which.

    `skips` are those that pass on the outside of them all.
    """

    start: int
    tallest: int
    skips: list[Skip]
