"""`python -m s2mlp_dsl.syntax` makes the shipped parser tables anew."""

from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.syntax.generate import generate
from s2mlp_dsl.syntax.tables import FILE, grammar_text, tables_text

shipped(FILE).write_text(tables_text(generate(grammar_text())), encoding="utf-8")
