"""Names, and what they stand for."""

from s2mlp_dsl.diagnostics.record import Code

UNKNOWN_NAME = Code("A0301", "undeclared name")
UNKNOWN_STATEMENT = Code("A0302", "unknown operator or block")
DECLARED_TWICE = Code("A0303", "duplicate declaration")
KEYWORD = Code("A0304", "reserved keyword")
TAKEN = Code("A0305", "name already in use")
WRONG_DECLARATION = Code("A0306", "wrong kind of name")
RECURSION = Code("A0307", "recursive definition")
LABEL_TWICE = Code("A0308", "duplicate label")
