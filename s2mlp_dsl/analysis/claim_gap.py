"""Where the gap between a figure and the claimed one comes from."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from s2mlp_dsl.analysis.cost import CostRow

Measure = Callable[[CostRow], int]
MEASURES: Mapping[str, Measure] = {
    "params": lambda row: row.total_params,
    "macs": lambda row: row.total_macs,
    "flops": lambda row: 2 * row.total_macs,
}
_MOST_PARTS = 24  # of which sums are tried
_MOST_TOGETHER = 3
_SHOWN = 5


def explain_gap(
    gap: int, quantity: str, selected: Sequence[CostRow], rows: Sequence[CostRow]
) -> list[str]:
    """Notes on a figure of `selected` rows that is `gap` more than was claimed.

    They name parts of the model that have exactly the gap: selected ones if the figure
    is too large, others if it is too small. Without such parts, they say what the
    figure is made of.
    """
    measure = MEASURES[quantity]
    chosen = set(map(id, selected))
    others = [row for row in rows if id(row) not in chosen]
    candidates = selected if gap > 0 else others
    found = _parts_with(abs(gap), measure, candidates)
    if found:
        have = "has" if len(found) == 1 else "have"
        left_out = "" if gap > 0 else ", which is not counted here"
        return [f"that is what {' and '.join(found)} {have}{left_out}"]
    if repeated := _iterations_with(abs(gap), measure, selected):
        return [repeated]
    return _made_of(measure, selected)


def _parts_with(gap: int, measure: Measure, rows: Sequence[CostRow]) -> tuple[str, ...]:
    """The fewest labels and operators, none overlapping, that add up to the gap."""
    parts: dict[str, set[int]] = {}
    sizes = [measure(row) for row in rows]
    for number, row in enumerate(rows):
        if sizes[number]:
            for key in (*sorted(row.labels), f"op({row.operator})"):
                parts.setdefault(key, set()).add(number)
    totals = {key: sum(sizes[n] for n in inside) for key, inside in parts.items()}
    fitting = [key for key in parts if totals[key] <= gap][:_MOST_PARTS]
    for count in range(1, _MOST_TOGETHER + 1):
        for together in combinations(fitting, count):
            if sum(totals[key] for key in together) != gap:
                continue
            if len(set[int]().union(*(parts[key] for key in together))) == sum(
                len(parts[key]) for key in together
            ):
                return together
    return ()


def _iterations_with(gap: int, measure: Measure, rows: Sequence[CostRow]) -> str | None:
    """A number of iterations of an outermost stack that has the gap."""
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        name, _, rest = row.path.partition(".")
        index = rest.split(".")[0]
        if index.replace("-", "").isdigit():
            totals[name, index] = totals.get((name, index), 0) + measure(row)
    for (name, index), total in totals.items():
        first, _, last = index.partition("-")
        each = total // (int(last or first) - int(first) + 1)
        if each and gap % each == 0:
            count = gap // each
            plural = "s" if count > 1 else ""
            have = "have" if count > 1 else "has"
            return f"that is what {count} iteration{plural} of `{name}` {have}"
    return None


def _made_of(measure: Measure, rows: Sequence[CostRow]) -> list[str]:
    """The figure by operator, the largest first."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.operator] = totals.get(row.operator, 0) + measure(row)
    largest = sorted((one for one in totals.items() if one[1]), key=lambda one: -one[1])
    if not largest:
        return []
    listed = [f"op({name}) {size:,}" for name, size in largest[:_SHOWN]]
    if rest := sum(size for _, size in largest[_SHOWN:]):
        listed.append(f"others {rest:,}")
    return [f"it is made of {', '.join(listed)}"]
