"""Did you mean …?"""

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from s2mlp_dsl.diagnostics import Suggestion

_MOST_COMPARED = 100
_CERTAIN = 0.7

# Spellings of before 0.1, with what they became. Where the new name can stand, the
# old one is certain to mean it, so that `check --fix` rewrites an older file.
RENAMED = {
    "clamp": "replicate",
    "zero": "zeros",
    "wrap": "circular",
    "fuse": "merge",
    "word": "enum",
    "text": "string",
    "piece": "block",
    "reach": "receptive_field",
    "full_reach": "full_receptive_field",
}


def did_you_mean(word: str, known: Iterable[str], few: int = 8) -> str | None:
    """A help line with the nearest known words, or with all if they are `few`."""
    words = sorted(set(known) - {word})
    if (renamed := RENAMED.get(word)) in words:
        assert renamed is not None
        return Suggestion(f"`{word}` is now called `{renamed}`", renamed)
    close = close_to(word, words)
    if len(close) == 1 and _is_a_slip(word, close[0]):
        return Suggestion(f"did you mean `{close[0]}`?", close[0])
    if close:
        return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?"
    if len(words) == 1 and few:
        return f"there is only `{words[0]}`"
    if 1 < len(words) <= few:
        return f"there are {', '.join(f'`{one}`' for one in words)}"
    return None


def _is_a_slip(word: str, other: str) -> bool:
    """Whether nothing else can have been meant."""
    near = SequenceMatcher(None, word.lower(), other.lower()).ratio()
    return near >= _CERTAIN


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The one or two known words that are nearly this one."""
    words = sorted(set(known) - {word})
    if len(words) > _MOST_COMPARED:
        words.sort(key=lambda one: (one[:1] != word[:1], abs(len(one) - len(word))))
        del words[_MOST_COMPARED:]
    # A slip of the shift key is nearer than any other.
    same = [one for one in words if one.lower() == word.lower()]
    return same or get_close_matches(word[:64], words, n=2, cutoff=0.6)
