"""Did you mean …?"""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_COMPARED = 100


def did_you_mean(word: str, known: Iterable[str], few: int = 8) -> str | None:
    """A help line with the nearest known words, or with all if they are `few`."""
    words = sorted(set(known) - {word})
    if close := close_to(word, words):
        return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?"
    if len(words) == 1 and few:
        return f"there is only `{words[0]}`"
    if 1 < len(words) <= few:
        return f"there are {', '.join(f'`{one}`' for one in words)}"
    return None


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The one or two known words that are nearly this one."""
    words = sorted(set(known) - {word})
    if len(words) > _MOST_COMPARED:
        words.sort(key=lambda one: (one[:1] != word[:1], abs(len(one) - len(word))))
        del words[_MOST_COMPARED:]
    # A slip of the shift key is nearer than any other.
    same = [one for one in words if one.lower() == word.lower()]
    return same or get_close_matches(word[:64], words, n=2, cutoff=0.6)
