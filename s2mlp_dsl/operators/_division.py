"""Numbers that have to divide each other, for messages."""

from math import isqrt


def divided(number: int, divisor: int) -> dict[str, int]:
    """The fields of `{number} = {divisor} · {quotient} + {rest}`."""
    quotient, rest = divmod(number, divisor)
    return {
        "number": number,
        "divisor": divisor,
        "quotient": quotient,
        "rest": rest,
    }


def nearest_divisors(number: int, to: int) -> str:
    """The two divisors of a number that are nearest to another: `3 or 4`."""
    small = [one for one in range(1, isqrt(number) + 1) if number % one == 0]
    divisors = {*small, *(number // one for one in small)}
    near = sorted(divisors, key=lambda divisor: abs(divisor - to))[:2]
    return " or ".join(map(str, sorted(near)))
