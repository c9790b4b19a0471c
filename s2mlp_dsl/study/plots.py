"""The plot of a study: curves over a numeric key, otherwise bars.

matplotlib (the extra `plots`) is imported when something is drawn. An SVG has its text
as text, and the same version of matplotlib always draws the same file.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from s2mlp_dsl.escape import matplotlib_text
from s2mlp_dsl.study.along import Series, numeric_key, series_of
from s2mlp_dsl.study.errors import StudyError
from s2mlp_dsl.study.summary import Spread, Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Form = Literal["svg", "png"]

NOTHING_YET = "no run has finished"
_ASIDE = 0.012  # offset between series, as a fraction of the axis
_WIDE = 10  # ratio of the largest to the smallest value that makes an axis logarithmic
_TEST, _TRAIN, _PAPER = "#2563ab", "#8a93a0", "#c2571a"
_SERIES = ("#2563ab", "#c2571a", "#2e8b57", "#8e4fa8", "#b8930a", "#6b7280", "#d1477a")
_MARKS = "osD^vPX"


class NoPlots(StudyError):
    """matplotlib is not installed."""

    exit_code = 4

    def __init__(self) -> None:
        super().__init__("no plots: drawing needs pip install 's2mlp-dsl[plots]'")


def draw(summary: Summary, form: Form) -> bytes:
    """The plot as SVG or PNG. Raises `NoPlots` if matplotlib is not installed."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlots from error
    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "s2mlp-dsl",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    key = numeric_key(summary)
    with matplotlib.rc_context(settings):
        if key is None:
            height = 1.0 + 0.34 * len(summary.lines)
            figure = Figure(figsize=(8, height), layout="constrained")
            _bars(figure, summary)
        else:
            figure = Figure(figsize=(9, 3.6), layout="constrained")
            _curves(figure, summary, key)
        drawn = io.BytesIO()
        named = {"Title": summary.plan.name}
        metadata = named | ({"Date": None} if form == "svg" else {})
        figure.savefig(drawn, format=form, metadata=metadata, dpi=144)
    return drawn.getvalue()


def _curves(figure: "Figure", summary: Summary, key: str) -> None:
    """Test accuracy and the gap to training accuracy, over the values of a key."""
    test, gap = figure.subplots(1, 2)
    series = series_of(summary, key)
    for place, one in enumerate(series):
        look = {
            "color": _SERIES[place % len(_SERIES)],
            "marker": _MARKS[place % len(_MARKS)],
            "label": matplotlib_text(one.name or "test"),
        }
        at = [_beside(x, series, place) for x, _, _ in one.points]
        lines = [line for _, _, line in one.points]
        _curve(test, [(x, one.test) for x, one in zip(at, lines, strict=True)], look)
        _curve(gap, [(x, one.gap) for x, one in zip(at, lines, strict=True)], look)
    for one in series:
        tops = ((x, line.row.printed.top1) for x, _, line in one.points)
        printed = [(x, top.value) for x, top in tops if top is not None]
        if printed:
            look = {"color": _PAPER, "marker": "D", "mfc": "white", "ls": "--"}
            test.plot(*zip(*printed, strict=True), label="printed", **look)
    for axes, title in ((test, "test, %"), (gap, "training − test, %")):
        axes.set_title(title, loc="left")
        axes.set_xlabel(matplotlib_text(key))
        axes.grid(alpha=0.25)
        _ticks(axes, series)
    if not summary.done:
        gap.text(0.5, 0.5, NOTHING_YET, transform=gap.transAxes, ha="center")
    if test.get_legend_handles_labels()[0]:
        test.legend(frameon=False, fontsize=8)


def _curve(
    axes: Any, points: Sequence[tuple[float, Spread | None]], look: dict[str, Any]
) -> None:
    """A curve of means, with one standard deviation as error bars."""
    there = [(x, spread) for x, spread in points if spread is not None]
    if there:
        axes.errorbar(
            [x for x, _ in there],
            [100 * spread.mean for _, spread in there],
            yerr=[100 * (spread.deviation or 0) for _, spread in there],
            capsize=2,
            markersize=4.5,
            linewidth=1.3,
            **look,
        )


def _beside(x: float, series: Sequence[Series], place: int) -> float:
    """The value, with a small offset so that equal series do not hide each other."""
    values = [x for one in series for x, _, _ in one.points]
    part = _ASIDE * (place - (len(series) - 1) / 2)
    if _logarithmic(values):
        return float(x * (max(values) / min(values)) ** part)
    return x + (max(values) - min(values)) * part


def _logarithmic(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) >= _WIDE


def _ticks(axes: Any, series: Sequence[Series]) -> None:
    """A tick at each value, labelled as in the spec."""
    written = {x: text for one in series for x, text, _ in one.points}
    values = sorted(written)
    if _logarithmic(values):
        axes.set_xscale("log")
        axes.set_xticks([], minor=True)
    axes.set_xticks(values, [written[value] for value in values])


def _bars(figure: "Figure", summary: Summary) -> None:
    """A bar for each row, with seeds, training accuracy and printed figure marked."""
    axes = figure.subplots()
    lines = summary.lines
    for place, line in enumerate(lines):
        if line.test is None:
            axes.text(1, place, NOTHING_YET, va="center", color=_TRAIN)
            continue
        error = 100 * (line.test.deviation or 0)
        axes.barh(
            place,
            100 * line.test.mean,
            xerr=error,
            height=0.62,
            color=_TEST,
            alpha=0.85,
            capsize=2,
        )
        seeds = [100 * value for value in line.test.values]
        axes.plot(seeds, [place] * len(seeds), ".", color="black", ms=3, alpha=0.6)
    marks = {
        "training": [
            (line.train.mean, n) for n, line in enumerate(lines) if line.train
        ],
        "printed": [
            (line.row.printed.top1.value / 100, n)
            for n, line in enumerate(lines)
            if line.row.printed.top1
        ],
    }
    looks: dict[str, dict[str, Any]] = {
        "training": {"marker": "|", "color": _TRAIN, "ms": 11, "mew": 2},
        "printed": {"marker": "D", "color": _PAPER, "mfc": "white", "ms": 5},
    }
    for name, points in marks.items():
        if points:
            axes.plot(
                [100 * value for value, _ in points],
                [place for _, place in points],
                ls="",
                label=name,
                **looks[name],
            )
    axes.set_yticks(
        range(len(lines)), [matplotlib_text(line.row.label) for line in lines]
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("test, %")
    axes.grid(axis="x", alpha=0.25)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
