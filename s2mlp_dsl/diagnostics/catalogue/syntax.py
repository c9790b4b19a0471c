"""The text of a spec."""

from s2mlp_dsl.diagnostics.record import Code

UNEXPECTED = Code("A0101", "unexpected token")
EDITION_LATE = UNEXPECTED.says(
    "the edition comes before everything else", help="move it to the first line"
)
EDITION_AGAIN = UNEXPECTED.says("the file has an edition already", help="remove it")
NO_EDITION = Code("A0102", "missing edition")
_FIRST_LINE = "write `edition 1` as the first line"
EDITION_MISSING = NO_EDITION.says("this should be the edition", help=_FIRST_LINE)
EMPTY_FILE = NO_EDITION.says("this file is empty", help=_FIRST_LINE)
BAD_EDITION = Code("A0103", "unknown edition")
EDITION_UNKNOWN = BAD_EDITION.says(
    "the latest edition is {latest}", help="write `edition {latest}`"
)
BAD_CHARACTER = Code("A0104", "invalid character")
NOT_CLOSED = Code("A0105", "unclosed bracket")
NOT_OPENED = Code("A0106", "unmatched closing bracket")
OPEN_STRING = Code("A0107", "unterminated string")
BAD_NUMBER = Code("A0108", "invalid number")
ASSIGNED = Code("A0109", "assignment in a claim")
TOO_DEEP = Code("A0110", "nesting too deep")
