"""What a model costs and sees, in the few words that a picture has room for."""

from collections import defaultdict
from collections.abc import Sequence
from math import prod

from s2mlp_dsl.analysis.analyze import Analysis


class Costs:
    """Params and MACs under paths, each of a statement or of a whole block.

    `times` is how often what is at the paths runs; the answer is for one run.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._params: defaultdict[str, int] = defaultdict(int)
        self._macs: defaultdict[str, int] = defaultdict(int)
        self._all_macs = analysis.macs
        for row in analysis.rows:
            parts = row.path.split(".")
            for length in range(1, len(parts) + 1):
                path = ".".join(parts[:length])
                self._params[path] += row.total_params
                self._macs[path] += row.total_macs

    def brief(self, paths: Sequence[str], times: int) -> str:
        """`148 K params · 28.9 M MACs`, without what is 0."""
        params, macs = self._sums(paths, times)
        words = [f"{short(params)} params"] if params else []
        words += [f"{short(macs)} MACs"] if macs else []
        return " · ".join(words)

    def exact(self, paths: Sequence[str], times: int) -> str:
        """`147,840 params, 28,901,376 MACs`."""
        params, macs = self._sums(paths, times)
        return f"{params:,} params, {macs:,} MACs"

    def share(self, paths: Sequence[str]) -> float | None:
        """The share of the model's MACs, all uses together; None without any cost."""
        params, macs = self._sums(paths, 1)
        return macs / (self._all_macs or 1) if params or macs else None

    def _sums(self, paths: Sequence[str], times: int) -> tuple[int, int]:
        params = sum(self._params[path] for path in paths)
        macs = sum(self._macs[path] for path in paths)
        return params // times, macs // times


def short(number: int) -> str:
    """Three digits and a decimal prefix: `28.9 M`, `960`."""
    if number < 1000:
        return str(number)
    scaled = [(number / 1000**n, prefix) for n, prefix in enumerate("KMGTPE", start=1)]
    value, prefix = next((one for one in scaled if one[0] < 999.5), scaled[-1])
    # Where rounding reaches the next power of ten, one decimal less.
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {prefix}"


def sample(analysis: Analysis) -> str:
    """What a model takes: an image, or a clip [channels, time, height, width]."""
    return "clip" if len(analysis.image or ()) == 4 else "image"


def totals(analysis: Analysis) -> list[str]:
    """A line with params and MACs of the model, and one with its receptive field."""
    params, macs = analysis.params or 0, analysis.macs or 0
    costs = f"{params:,} params · {short(macs)} MACs per {sample(analysis)}"
    field = analysis.receptive_field
    if field is None or not field.steps:
        return [costs]
    if field.full is not None:
        grid = " × ".join(map(str, field.grid))
        seen = f"full ({grid}) after {field.full} of {field.iterations}"
    else:
        last = field.steps[-1]
        least = f"{last.least} to " if last.least != last.most else ""
        seen = f"{least}{last.most} of {prod(field.grid)} positions"
        seen += f" after {field.iterations}"
    return [costs, f"receptive field: {seen} iterations"]
