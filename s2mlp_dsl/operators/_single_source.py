"""Operators that move positions: each output position reads one position or none."""

from collections.abc import Iterator, Sequence

from s2mlp_dsl.operators import Operator, Part, ReceptiveField, Term


class SingleSource(Operator):
    def sources(self) -> Sequence[int | None]:
        """For each output position, the input position it reads; None for zeros."""
        raise NotImplementedError

    def receptive_field(self) -> ReceptiveField:
        table = tuple(() if source is None else (source,) for source in self.sources())
        return ReceptiveField(mixes=False, parts=(Part(None, table),))

    def linear_map(self) -> Iterator[Term]:
        for place, source in enumerate(self.sources()):
            for channel in range(self.x.channels if source is not None else 0):
                assert source is not None
                yield Term((place, channel), (source, channel), None)
