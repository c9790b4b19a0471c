"""The spatial shift as a depthwise convolution with fixed kernels."""

from collections.abc import Sequence

from s2mlp_dsl.nn.conv import FixedConv


class OneHotShift(FixedConv):
    """Convolves each channel with a kernel that is 1 at the source of its group.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d.
    `groups` are (channels, right, down); the first `turns` of them are interleaved.
    A position p − d outside the map is read by the `edge`
    rule: zeros reads 0, and replicate, circular and reflect read inside the map, each
    axis by itself. keep is computed as replicate, which is the same for a single step
    along one axis.

    Values are the same as of the other implementations if all are finite (on a GPU with
    TF32 off): a zero of the kernel times an infinite neighbour is NaN.
    """

    def __init__(
        self, groups: Sequence[tuple[int, int, int]], edge: str, turns: int = 0
    ) -> None:
        most = max((group[0] for group in groups[:turns]), default=0)
        woven = [g for n in range(most) for g in groups[:turns] if n < g[0]]
        plain = [g for g in groups[turns:] for _ in range(g[0])]
        moves = [group[1:] for group in woven + plain]
        furthest = max(max(abs(right), abs(down)) for right, down in moves)
        reach = range(furthest, -furthest - 1, -1)
        filters = [
            [[[float((x, y) == move) for x in reach] for y in reach]] for move in moves
        ]
        channels = len(moves)
        super().__init__(channels, channels, filters, 1, furthest, edge, channels)
        self.moves, self.turns = tuple(groups), turns

    def extra_repr(self) -> str:
        turns = f", turns={self.turns}" if self.turns else ""
        return f"groups={self.moves}, edge={self.edge!r}{turns}"
