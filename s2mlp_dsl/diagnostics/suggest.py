"""Names in messages: lists of them, and "did you mean …?"."""

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

from s2mlp_dsl.diagnostics.record import Suggestion

_MOST_COMPARED = 100
_CERTAIN = 0.7

# Spellings from before 0.1, with their present names. Where the new name is allowed,
# the old one is certain to mean it, so that `check --fix` rewrites an older file.
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
    "smoothing": "label_smoothing",
    "clip": "grad_clip",
    "share": "train_fraction",
    "repeats": "repeated_augmentation",
    "activation_checkpointing": "gradient_checkpointing",
    "floor": "min_lr",
    "start": "warmup_lr",
    "every": "step_size",
    "factor": "gamma",
    "flip": "horizontal_flip",
    "erasing": "random_erasing",
    "ops": "num_ops",
    "xavier": "xavier_uniform",
    "kaiming": "kaiming_normal",
}


def listed(names: Collection[str], most: int | None = None, none: str = "none") -> str:
    """Names in backquotes, separated by commas, at most `most` of them."""
    shown = list(names)[:most]
    more = ["…"] if len(shown) < len(names) else []
    return ", ".join([*(f"`{name}`" for name in shown), *more]) or none


def either(names: Iterable[str], word: str = "or") -> str:
    """Names in backquotes, joined by `or` or another word."""
    return f" {word} ".join(f"`{name}`" for name in names)


def did_you_mean(name: str, known: Iterable[str], few: int = 8) -> str | None:
    """A help line with the nearest known names, or with all if they are `few`."""
    names = sorted(set(known) - {name})
    if (renamed := RENAMED.get(name)) in names:
        assert renamed is not None
        return Suggestion(f"`{name}` is now called `{renamed}`", renamed)
    close = close_to(name, names)
    if len(close) == 1 and _is_typo(name, close[0]):
        return Suggestion(f"did you mean `{close[0]}`?", close[0])
    if close:
        return f"did you mean {either(close)}?"
    if len(names) == 1 and few:
        return f"there is only `{names[0]}`"
    if 1 < len(names) <= few:
        return f"there are {listed(names)}"
    return None


def _is_typo(name: str, other: str) -> bool:
    """Whether nothing else can have been meant."""
    near = SequenceMatcher(None, name.lower(), other.lower()).ratio()
    return near >= _CERTAIN


def close_to(name: str, known: Iterable[str]) -> list[str]:
    """The one or two known names that are nearly this one."""
    names = sorted(set(known) - {name})
    if len(names) > _MOST_COMPARED:
        names.sort(
            key=lambda other: (other[:1] != name[:1], abs(len(other) - len(name)))
        )
        del names[_MOST_COMPARED:]
    # A slip of the shift key is nearer than any other.
    same = [other for other in names if other.lower() == name.lower()]
    return same or get_close_matches(name[:64], names, n=2, cutoff=0.6)
