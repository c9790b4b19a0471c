"""What the grammar says: the parser's tables and the language's own words."""

from functools import cache

from s2mlp_dsl.frontend.automaton import Automaton
from s2mlp_dsl.frontend.tables import Tables, grammar_text, read_tables


@cache
def tables() -> Tables:
    """The parser's tables, the shipped ones where they fit."""
    grammar = grammar_text()
    shipped = read_tables(grammar)
    if shipped is not None:
        return shipped
    from s2mlp_dsl.frontend.generate import generate

    return generate(grammar)


@cache
def keywords() -> frozenset[str]:
    """Every word that the grammar itself uses."""
    return frozenset(tables().words)


@cache
def declaring() -> frozenset[str]:
    """The words that begin a declaration."""
    return keywords() & Automaton(tables(), "start").accepts()
