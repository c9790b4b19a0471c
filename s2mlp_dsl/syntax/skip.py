"""Where a statement that did not parse ends."""

import re

# What must be stepped over whole, so that its inside is not taken for structure.
_PIECE = re.compile(
    r'(?P<text>"""[\s\S]*?(?:"""|\Z)|"[^"\r\n]*"?)|(?P<comment>#[^\r\n]*)'
    r"|(?P<open>\{)|(?P<close>\})|(?P<newline>\r?\n)|[^\"#{}\r\n]+|\r"
)


def skip_statement(text: str, start: int) -> int:
    """Offset of the newline or `}` that ends the statement around `start`.

    A `{` on the way is skipped with everything up to its `}`.
    """
    depth = 0
    position = start
    while position < len(text):
        piece = _PIECE.match(text, position)
        assert piece is not None
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            if depth == 0:
                return position
            depth -= 1
        elif piece["newline"] and depth == 0:
            return position
        position = piece.end()
    return position
