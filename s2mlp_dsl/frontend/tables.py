"""The tables of the LALR parser, made from the grammar and shipped beside it.

Lark makes them (see `generate.py`), which takes longer than a whole `check`. The
file is plain JSON, written by

    python -m s2mlp_dsl.frontend

and used only where it was made from the grammar as it stands; else the tables
are made anew.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from s2mlp_dsl.shipped import shipped

FILE = "grammar/arch.tables.json"


@dataclass(frozen=True, eq=False)
class Tables:
    """What a lexer and a parser of one grammar need.

    `rules` say what is reduced: the symbol that comes out, how many symbols go in,
    and the builder's method for it, None where the one that goes in comes out.
    `actions` say of each state what a kind of token does there: shift to a state n,
    or reduce by a rule r, written −1 − r. `gotos` give the state after a reduction
    to a symbol, `starts` the first state and the last for each symbol that a text
    may be.
    """

    made_from: str
    patterns: Mapping[str, str]  # of the kinds of tokens that have many forms
    ignored: Sequence[str]
    words: Sequence[str]
    signs: Sequence[str]
    rules: Sequence[tuple[str, int, str | None]]
    actions: Sequence[Mapping[str, int]]
    gotos: Sequence[Mapping[str, int]]
    starts: Mapping[str, tuple[int, int]]


def grammar_text() -> str:
    """`grammar/arch.lark`, the reference of the language."""
    return shipped("grammar/arch.lark").read_text(encoding="utf-8")


def read_tables(grammar: str) -> Tables | None:
    """The shipped tables, None where they belong to another grammar."""
    try:
        found = json.loads(shipped(FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("made_from") != fingerprint(grammar):
        return None
    return Tables(**found)


def tables_text(tables: Tables) -> str:
    """The shipped file."""
    return json.dumps(asdict(tables), separators=(",", ":"), ensure_ascii=False) + "\n"


def fingerprint(grammar: str) -> str:
    """What tells the tables of one grammar from those of another."""
    return hashlib.sha256(grammar.encode()).hexdigest()
