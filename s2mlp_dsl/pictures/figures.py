"""What a model costs and sees, in the few words that a picture has room for."""

from collections import defaultdict
from collections.abc import Sequence
from math import prod

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.analysis.receptive_field import ReceptiveField


class Costs:
    """Params and MACs under a path: of a statement, or of a block as a whole.

    `times` is how often what is asked about runs; the answer is for one of
    them.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._params: defaultdict[str, int] = defaultdict(int)
        self._macs: defaultdict[str, int] = defaultdict(int)
        self._all = analysis.macs
        for one in analysis.rows:
            parts = one.path.split(".")
            for length in range(1, len(parts) + 1):
                path = ".".join(parts[:length])
                self._params[path] += one.total_params
                self._macs[path] += one.total_macs

    def brief(self, paths: Sequence[str], times: int) -> str:
        """`148 K params · 28.9 M MACs`, what is 0 left out."""
        params, macs = self._sums(paths, times)
        said = [f"{short(params)} params"] if params else []
        said += [f"{short(macs)} MACs"] if macs else []
        return " · ".join(said)

    def exact(self, paths: Sequence[str], times: int) -> str:
        """`147,840 params, 28,901,376 MACs`."""
        params, macs = self._sums(paths, times)
        return f"{params:,} params, {macs:,} MACs"

    def share(self, paths: Sequence[str]) -> float | None:
        """Of the model's MACs, all uses together; None without weights."""
        params, macs = self._sums(paths, 1)
        return macs / (self._all or 1) if params or macs else None

    def _sums(self, paths: Sequence[str], times: int) -> tuple[int, int]:
        params = sum(self._params[path] for path in paths)
        macs = sum(self._macs[path] for path in paths)
        return params // times, macs // times


def short(number: int) -> str:
    """Three digits and a decimal prefix: `28.9 M`, `960`."""
    if number < 1000:
        return str(number)
    scaled = [(number / 1000**n, one) for n, one in enumerate("KMGTPE", start=1)]
    value, prefix = next((one for one in scaled if one[0] < 999.5), scaled[-1])
    # Where rounding reaches the next power of ten, one decimal less.
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {prefix}"


def sample(analysis: Analysis) -> str:
    """What a model takes: [channels, time, height, width] is a clip."""
    return "clip" if len(analysis.image or ()) == 4 else "image"


def totals(analysis: Analysis) -> list[str]:
    """Params and MACs of the model in a line, its receptive field in another."""
    params, macs = analysis.params or 0, analysis.macs or 0
    figures = f"{params:,} params · {short(macs)} MACs per {sample(analysis)}"
    receptive_field = _receptive_field(analysis.receptive_field)
    return [figures, receptive_field] if receptive_field else [figures]


def _receptive_field(receptive_field: ReceptiveField | None) -> str:
    if receptive_field is None or not receptive_field.steps:
        return ""
    if receptive_field.full is not None:
        grid = " × ".join(map(str, receptive_field.grid))
        after = f"after {receptive_field.full} of {receptive_field.iterations}"
        return f"receptive field: full ({grid}) {after} iterations"
    last = receptive_field.steps[-1]
    least = f"{last.least} to " if last.least != last.most else ""
    seen = f"{least}{last.most} of {prod(receptive_field.grid)} positions"
    return f"receptive field: {seen} after {receptive_field.iterations} iterations"
