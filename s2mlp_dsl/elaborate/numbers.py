"""Numbers of the language: exact, and bounded before they are built."""

from fractions import Fraction
from functools import cache, lru_cache

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue.limits import LONG_NUMBER
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.grammar import NUMBER, pattern
from s2mlp_dsl.source import Span

_SUFFIXES: dict[str | None, Fraction] = {
    None: Fraction(1),
    "%": Fraction(1, 100),
    **{letter: Fraction(10 ** (3 * n)) for n, letter in enumerate("KMGT", 1)},
    **{f"{letter}i": Fraction(2 ** (10 * n)) for n, letter in enumerate("KMGT", 1)},
}


def number(node: tree.Number, report: Report) -> int | Fraction:
    """The exact value of a literal."""
    value, _ = _read(node, report)
    return whole(value)


def half_last_digit(node: tree.Number, report: Report) -> Fraction:
    """Half a unit of the last digit: 0.05G for `10.5G`."""
    _, unit = _read(node, report)
    return unit / 2


def whole(value: Fraction) -> int | Fraction:
    """An integer as int, any other fraction as it is."""
    return value.numerator if value.denominator == 1 else value


def bounded(value: Fraction | int, span: Span, report: Report) -> int | Fraction:
    """The value. Reports one with too many digits."""
    exact = Fraction(value)
    if not _fits(exact, limits().digits):
        raise _too_long(span, report)
    return whole(exact)


def _fits(value: Fraction, digits: int) -> bool:
    return max(abs(value.numerator), value.denominator) < _power(digits)


@cache
def _power(digits: int) -> int:
    return 10**digits  # type: ignore[no-any-return]


def _too_long(span: Span, report: Report) -> AlreadyReported:
    return report.add(LONG_NUMBER, span, limit=limits().digits)


def _read(node: tree.Number, report: Report) -> tuple[Fraction, Fraction]:
    """The value of a literal, and of one unit of its last digit."""
    found = _exact(node.lexeme, limits().digits)
    if found is None:
        raise _too_long(node.span, report)
    return found


@lru_cache(maxsize=4096)
def _exact(lexeme: str, limit: int) -> tuple[Fraction, Fraction] | None:
    """As `_read`, None where there are too many digits."""
    parts = pattern(NUMBER).fullmatch(lexeme)
    assert parts is not None
    digits = (parts["whole"] + (parts["fraction"] or "")).replace("_", "")
    decimals = len((parts["fraction"] or "").replace("_", ""))
    exponent = parts["exponent"] or "0"
    longest = max(len(digits), len(exponent))
    if longest > limit or abs(int(exponent)) > limit:
        return None
    unit = Fraction(10) ** (int(exponent) - decimals) * _SUFFIXES[parts["suffix"]]
    value = int(digits) * unit
    return (value, unit) if _fits(value, limit) else None
