"""`python -m s2mlp_dsl.syntax` makes the shipped parser tables anew."""

from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.syntax.grammar import grammar_text, make_parser
from s2mlp_dsl.syntax.tables import FILE, make_tables

shipped(FILE).write_text(make_tables(make_parser(), grammar_text()), encoding="utf-8")
