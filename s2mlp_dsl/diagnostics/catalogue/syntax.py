"""The text of a spec."""

from s2mlp_dsl.bounds import how_to_raise
from s2mlp_dsl.diagnostics.record import Code

UNEXPECTED = Code("A0101", "unexpected token")
_EXPECTED = "expected {expected}"
UNEXPECTED_TOKEN = UNEXPECTED.says(_EXPECTED)
UNEXPECTED_END = UNEXPECTED.says("the text ends here; " + _EXPECTED)
UNEXPECTED_NEWLINE = UNEXPECTED.says("the line ends here; " + _EXPECTED)
BRACE_ON_NEXT_LINE = UNEXPECTED.says(
    UNEXPECTED_NEWLINE.label, help="write the `{{` on this line"
)
UNBRACKETED_LINES = UNEXPECTED.says(
    UNEXPECTED_NEWLINE.label,
    help="put an expression of several lines in parentheses",
)
MISSPELT_KEYWORD = UNEXPECTED.says("did you mean `{word}`?")
MISSPELT_WORD = UNEXPECTED.says(_EXPECTED, help="did you mean `{word}`?")
SLASHES = UNEXPECTED.says(_EXPECTED, help="comments begin with `#`")
DOUBLE_EQUALS = UNEXPECTED.says(_EXPECTED, help="write a single `=`")
LONE_BRANCH = UNEXPECTED.says(
    _EXPECTED, help="write branches inside `parallel(…) {{ … }}`"
)
DEFAULT_AS_KIND = UNEXPECTED.says(
    _EXPECTED, help="write `{name} = {value}` for a default value"
)
NO_PARENTHESES = UNEXPECTED.says(
    _EXPECTED, help="write arguments in parentheses: `{name}({value})`"
)
THEN_ON_NEXT_LINE = UNEXPECTED.says(
    _EXPECTED, help="write `then` after the closing brace of the stack: `}} then 2 {{`"
)
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
FOREIGN_LETTER = BAD_CHARACTER.says(
    help="names use the letters a-z and A-Z, digits and `_`"
)
USELESS_CHARACTER = BAD_CHARACTER.says(help="remove it")
SINGLE_QUOTE = BAD_CHARACTER.says(help='write strings in double quotes: `"…"`')
SEMICOLON = BAD_CHARACTER.says(help="remove it: a statement ends with its line")
EXCLAMATION_MARK = BAD_CHARACTER.says(help="`!` is used in `!=` only")
TILDE = BAD_CHARACTER.says(help="`~` is used in `~=` only")
AMPERSAND = BAD_CHARACTER.says(
    help="remove it: `choose(condition, yes, no)` makes a choice"
)
CARET = BAD_CHARACTER.says(help="write a power as a product")
CARRIAGE_RETURN = BAD_CHARACTER.says(help="end lines with LF or CRLF")

NOT_CLOSED = Code("A0105", "unclosed bracket")
UNCLOSED = NOT_CLOSED.says(help="add the closing `{closer}`")
UNCLOSED_BEFORE = NOT_CLOSED.says(
    related="expected `{closer}` before this", help=UNCLOSED.help
)
NOT_OPENED = Code("A0106", "unmatched closing bracket")
UNMATCHED = NOT_OPENED.says(help="remove it")

OPEN_STRING = Code("A0107", "unterminated string")
UNTERMINATED = OPEN_STRING.says(help='end it with `"` on this line')
UNTERMINATED_DESCRIPTION = OPEN_STRING.says(help='end it with `"""`')

BAD_NUMBER = Code("A0108", "invalid number")
MALFORMED_NUMBER = BAD_NUMBER.says(
    help="write it like `1_000`, `0.5`, `1e-5`, `51M`, `64Ki` or `75%`"
)

ASSIGNED = Code("A0109", "assignment in a claim")
ASSIGNED_FACT = ASSIGNED.says(
    help="write `==` for an exact value, `~=` for a rounded one"
)

TOO_DEEP = Code("A0110", "nesting too deep")
NESTED_TOO_DEEP = TOO_DEEP.says(
    "more than {limit} levels deep",
    notes=how_to_raise("nesting"),
    help="give the inner part a name with `let` or `block`",
)
