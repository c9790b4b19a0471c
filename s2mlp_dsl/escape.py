"""Names and titles that users choose, escaped for where they are shown."""

import html
import re
import unicodedata

# Characters that steer a terminal or reverse the direction of what follows, and halves
# of pairs of surrogates, which are in no file. U+FFFE and U+FFFF are in no XML.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# The worst of these, which may not be in a longer text either.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufffe\uffff]"
)
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
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after \\ it would begin a length
    "*": "{*}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
}


# What a formula begins with, also in its Japanese form.
_FORMULA = tuple("=+-@＝＋－＠")


def plain(text: str) -> str:
    """One line without control characters, which are shown as `\\x1b`."""
    return "".join(
        _escaped(one)
        if unicodedata.category(one) in _STEERING or one in "\ufffe\uffff"
        else one
        for one in text
    )


def plain_lines(text: str) -> str:
    """Several lines, each without control characters."""
    return "\n".join(map(plain, text.split("\n")))


def utf8(text: str) -> str:
    """With escapes for what no file in UTF-8 can have: names of files may have it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def visible(text: str) -> str:
    """A longer text, in which white space is blanks and control characters escapes.

    Unlike a name, it may have characters that join others, as Persian needs them.
    """
    shown = _UNSEEN.sub(lambda found: _escaped(found[0]), text)
    return re.sub(r"[\t-\r]", " ", shown)


def xml(text: str) -> str:
    """As text or an attribute in XML and HTML."""
    return html.escape(visible(text))


def markdown(text: str) -> str:
    """As a part of a line or of a table's cell: no link, tag, formula or emphasis."""
    special = r"[\\`*\[\]<>|$~]|(?<![^\W_])_|_(?![^\W_])"  # or _ at the edge of a word
    escaped = re.sub(special, r"\\\g<0>", plain(text))
    return escaped.replace("&", "&amp;")


def markdown_line(text: str) -> str:
    """As a line of its own: no heading, list, rule or block of code either."""
    escaped = markdown(" ".join(text.split()))
    return re.sub(r"^([#+=-]|\d+(?=[.)]))", _first_escaped, escaped)


def _first_escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def markdown_code(text: str) -> str:
    """As code in a line or in a cell, where that is possible, else as text."""
    text = plain(text)
    return markdown(text) if {"`", "|"} & set(text) or not text.strip() else f"`{text}`"


def latex(text: str) -> str:
    """As LaTeX text, also at the beginning of a row."""
    hyphens_apart = re.split(r"(?<=[-–])(?=[-–])", plain(text))
    return "{}".join(
        "".join(_LATEX.get(one, one) for one in part) for part in hyphens_apart
    )


def csv_cell(text: str) -> str:
    """As a cell that spreadsheets take for text, not for a formula."""
    text = plain(text)
    if not text.lstrip().startswith(_FORMULA) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,_]+%?", text) is not None


def matplotlib_text(text: str) -> str:
    """As text of a plot, where `$` begins a formula."""
    return plain(text).replace("$", r"\$")
