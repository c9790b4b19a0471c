"""Where a statement that did not parse ends."""

import re
from functools import cache

from s2mlp_dsl.frontend.grammar import declaring

# Strings and comments are skipped whole: brackets and newlines in them do not count.
_PIECE = re.compile(
    r'(?P<text>"""[\s\S]*?(?:"""|\Z)|"[^"\r\n]*"?)|(?P<comment>#[^\r\n]*)'
    r"|(?P<open>\{)|(?P<close>\})|(?P<bracket>[(\[])|(?P<unbracket>[)\]])"
    r'|(?P<newline>\r?\n)|[^"#{}()\[\]\r\n]+|\r'
)
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)")
_REST = re.compile(r'[ \t]*[0-9(\["+*/-]')
_BRACE_NEXT = re.compile(r"\s*\{")


def skip_statement(text: str, start: int, brackets: int = 0) -> int:
    """Offset of the newline or `}` that ends the statement around `start`.

    So many `brackets` are open at `start`. Their lines are skipped too, if they are
    closed at all, and so is a body in braces.
    """
    depth = 0
    position = start
    first_newline = None  # where to stop if the brackets turn out to stay open
    while position < len(text):
        piece = _PIECE.match(text, position)
        assert piece is not None
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0:
            if piece["bracket"]:
                brackets += 1
            elif piece["unbracket"]:
                brackets = max(0, brackets - 1)
                if brackets == 0:
                    first_newline = None
            elif piece["newline"] and not _BRACE_NEXT.match(text, piece.end()):
                if brackets == 0:
                    return position
                if first_newline is None:
                    first_newline = position
                if declares(text, piece.end()):
                    break
        position = piece.end()
    return position if first_newline is None else first_newline


def skip_declaration(text: str, start: int) -> int:
    """Offset of the newline before the next declaration, or of the end."""
    position = start
    while position < len(text):
        piece = _PIECE.match(text, position)
        assert piece is not None
        if piece["newline"] and declares(text, piece.end()):
            return position
        position = piece.end()
    return position


def brace_follows(text: str, at: int) -> bool:
    """Whether the next character that is not a blank or newline is a `{`."""
    return _BRACE_NEXT.match(text, at) is not None


def indent_of(text: str, at: int) -> int:
    """Columns before the first word at or after `at`, which starts a line."""
    blank = _BLANK.match(text, at)
    assert blank is not None
    return len(blank[1].expandtabs(4))


def goes_on(text: str, at: int) -> bool:
    """Whether the line at `at` can only continue the previous one."""
    return _REST.match(text, at) is not None


def declares(text: str, at: int) -> bool:
    """Whether a declaration begins here: its keyword and a name.

    Statements do not begin with two words, so inside braces this means that the closing
    brace is missing.
    """
    return _declaration().match(text, at) is not None


@cache
def _declaration() -> re.Pattern[str]:
    return re.compile(rf"[ \t]*(?:{'|'.join(sorted(declaring()))})[ \t]+[A-Za-z0-9_]")
