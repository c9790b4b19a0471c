"""Numbers that have to divide each other, for messages."""


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
    divisors = (divisor for divisor in range(1, number + 1) if number % divisor == 0)
    near = sorted(divisors, key=lambda divisor: abs(divisor - to))[:2]
    return " or ".join(map(str, sorted(near)))
