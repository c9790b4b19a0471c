"""The text of a spec."""

from s2mlp_dsl.diagnostics.record import Code

UNEXPECTED = Code("A0101", "unexpected token")
NO_EDITION = Code("A0102", "missing edition")
BAD_EDITION = Code("A0103", "unknown edition")
BAD_CHARACTER = Code("A0104", "invalid character")
NOT_CLOSED = Code("A0105", "unclosed bracket")
NOT_OPENED = Code("A0106", "unmatched closing bracket")
OPEN_STRING = Code("A0107", "unterminated string")
BAD_NUMBER = Code("A0108", "invalid number")
ASSIGNED = Code("A0109", "assignment in a claim")
TOO_DEEP = Code("A0110", "nesting too deep")
