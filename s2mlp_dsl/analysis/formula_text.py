"""Formulas as text: `width²·(2·ratio + 2)`, or as Python and sympy read them."""

from fractions import Fraction

from s2mlp_dsl.analysis.laurent import Formula, Powers, in_terms_of

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class FormulaWriter:
    """Writes formulas in the parameters `names`.

    `plain` is the syntax of Python. Else `positions`, the number of positions of the
    first map, is written as M wherever it is a single monomial (`unit`).
    """

    def __init__(
        self, names: tuple[str, ...], positions: Formula, *, plain: bool
    ) -> None:
        self.names, self.plain = names, plain
        self.unit: Powers | None = None
        monomial = list(positions.values()) == [1]
        if monomial and not plain and "M" not in names:
            (unit,) = positions
            self.unit = unit if any(unit) else None

    def write(self, formula: Formula, *, without_m: bool = False) -> str:
        """`width²·(2·ratio + 2) + width·(ratio + 3)`."""
        if not formula:
            return "0" if self.plain else "–"
        names = self.names
        if self.unit is not None and not without_m:
            formula = in_terms_of(formula, self.unit)
            names = (*names, "M")
        return _sum(formula, names, self.plain)


def _sum(formula: Formula, names: tuple[str, ...], plain: bool) -> str:
    """Grouped by the powers of one name, the common factors of a group in front."""
    groups = [_factored(group, names, plain) for group in _groups(formula, names)]
    return " + ".join(groups).replace("+ -", "- ")


def _groups(formula: Formula, names: tuple[str, ...]) -> list[Formula]:
    """By the powers of the name with the largest power, or that occurs most often."""
    best: dict[int, Formula] = {} if names else {0: formula}
    rank = (0, 0, 0)
    for place in range(len(names)):
        groups: dict[int, Formula] = {}
        for powers, factor in formula.items():
            groups.setdefault(powers[place], {})[powers] = factor
        uses = sum(len(group) for power, group in groups.items() if power)
        found = (max(groups), uses, -len(groups))
        if not best or found > rank:
            best, rank = groups, found
    return [best[power] for power in sorted(best, reverse=True)]


def _factored(group: Formula, names: tuple[str, ...], plain: bool) -> str:
    if len(group) == 1:
        ((powers, factor),) = group.items()
        return _monomial(powers, factor, names, plain)
    common = tuple(min(column) for column in zip(*group, strict=True))
    if not any(common):
        ordered = sorted(group.items(), reverse=True)
        return " + ".join(_monomial(*term, names, plain) for term in ordered)
    rest = {
        tuple(p - c for p, c in zip(powers, common, strict=True)): factor
        for powers, factor in group.items()
    }
    front = _monomial(common, Fraction(1), names, plain)
    return f"{front}{'*' if plain else '·'}({_sum(rest, names, plain)})"


def _monomial(
    powers: Powers, factor: Fraction, names: tuple[str, ...], plain: bool
) -> str:
    above, below = [], []
    if factor.numerator != 1:
        above.append(str(factor.numerator))
    if factor.denominator != 1:
        below.append(str(factor.denominator))
    for name, power in sorted(
        zip(names, powers, strict=True), key=lambda pair: pair[0] != "M"
    ):
        if power:
            (above if power > 0 else below).append(_power(name, abs(power), plain))
    sign = "*" if plain else "·"
    text = sign.join(above) or "1"
    if not below:
        return text
    under = sign.join(below)
    return f"{text}/{f'({under})' if len(below) > 1 else under}"


def _power(name: str, power: int, plain: bool) -> str:
    if power == 1:
        return name
    return f"{name}**{power}" if plain else name + str(power).translate(_SUPERSCRIPTS)
