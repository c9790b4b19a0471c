"""A token: its text, its kind and where it stands."""

from s2mlp_dsl.source import Span


class Token(str):
    """The text of one token.

    `kind` is what the grammar calls it: `NAME`, `NUMBER`, `_NL`, …, and for a keyword
    or a sign its own text. `END` closes every text.
    """

    __slots__ = ("kind", "span")
    kind: str
    span: Span

    def __new__(cls, text: str, kind: str, span: Span) -> "Token":
        made = super().__new__(cls, text)
        made.kind, made.span = kind, span
        return made


END = "$END"
NAME, NEWLINE, COMMENT = "NAME", "_NL", "COMMENT"
