"""Names and titles that users choose, escaped for where they are shown."""

import re
import unicodedata

# Characters that steer a terminal or reverse the direction of what follows.
_STEERING = {"Cc", "Cf", "Zl", "Zp"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "²": r"\textsuperscript{2}",
    "×": r"$\times$",
    "–": "--",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
}


def plain(text: str) -> str:
    """One line without control characters, which are shown as `\\x1b`."""
    return "".join(
        one.encode("unicode_escape").decode()
        if unicodedata.category(one) in _STEERING
        else one
        for one in text
    )


def markdown(text: str) -> str:
    """As a part of a line or of a table's cell: no link, tag or emphasis."""
    escaped = re.sub(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)", r"\\\g<0>", plain(text))
    return escaped.replace("&", "&amp;")


def latex(text: str) -> str:
    """As LaTeX text."""
    return "".join(_LATEX.get(one, one) for one in plain(text))


def csv_cell(text: str) -> str:
    """As a cell that spreadsheets take for text, not for a formula."""
    text = plain(text)
    if text[:1] not in ("=", "+", "-", "@") or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,_]+%?", text) is not None


def matplotlib_text(text: str) -> str:
    """As text of a plot, where `$` begins a formula."""
    return plain(text).replace("$", r"\$")
