"""Did you mean …?"""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line with the nearest known words, or with all if they are few."""
    words = sorted(set(known))
    close = get_close_matches(word, words, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?"
    if 0 < len(words) <= 8:
        return "there is " + ", ".join(f"`{one}`" for one in words)
    return None
