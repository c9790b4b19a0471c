"""`python -m s2mlp_dsl.frontend` makes the shipped parser tables anew."""

from s2mlp_dsl.frontend.generate import generate
from s2mlp_dsl.frontend.tables import FILE, grammar_text, tables_text
from s2mlp_dsl.shipped import shipped

shipped(FILE).write_text(tables_text(generate(grammar_text())), encoding="utf-8")
