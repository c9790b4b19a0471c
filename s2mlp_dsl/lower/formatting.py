"""Python code laid out over lines as `ruff format` does it."""

from collections.abc import Sequence
from dataclasses import dataclass

from s2mlp_dsl.operators import Construct, PythonLiteral

WIDTH = 88


@dataclass(frozen=True)
class Bracketed:
    """`head(items)`: a call, or a tuple where the head is empty or `name=`."""

    head: str
    items: tuple["str | Bracketed", ...]

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.items))
        lone_tuple = len(self.items) == 1 and not self.is_call
        return f"{self.head}({inner}{',' if lone_tuple else ''})"

    @property
    def is_call(self) -> bool:
        return bool(self.head) and not self.head.endswith("=")


def construct(call: Construct) -> Bracketed:
    """The call that constructs a module."""
    keywords = (_literal(value, f"{name}=") for name, value in call.keywords)
    return Bracketed(call.callee, (*map(_literal, call.args), *keywords))


def assign(target: str, value: Bracketed, indent: int) -> list[str]:
    """`target = value`, over several lines where it is too long for one.

    Where even `target = head(` is too long, the value is wrapped in parentheses, if
    those fit.
    """
    margin = " " * indent
    whole = f"{margin}{target} = {value}"
    opened = f"{margin}{target} = {value.head}("
    wrapped = f"{margin}{target} = ("
    if len(whole) <= WIDTH:
        return [whole]
    too_long = len(opened) > WIDTH or not value.items
    if too_long and len(wrapped) <= WIDTH:
        return [wrapped, *_lines("", value, indent + 4, ""), f"{margin})"]
    return _lines(f"{target} = ", value, indent, "")


def call_with(
    target: str, callee: str, arguments: Sequence[str], indent: int
) -> list[str]:
    """`target = callee(arguments)`, for names of any length."""
    return _lines(f"{target} = ", Bracketed(callee, tuple(arguments)), indent, "")


def _lines(before: str, value: str | Bracketed, indent: int, after: str) -> list[str]:
    margin = " " * indent
    whole = f"{margin}{before}{value}{after}"
    if len(whole) <= WIDTH or isinstance(value, str) or not value.items:
        return [whole]
    opening, closing = f"{margin}{before}{value.head}(", f"{margin}){after}"
    inner = f"{margin}    {', '.join(map(str, value.items))}"
    lone = len(value.items) == 1 and isinstance(value.items[0], str)
    if value.is_call and (lone or len(inner) <= WIDTH):
        return [opening, inner, closing]
    lines = [opening]
    for item in value.items:
        lines += _lines("", item, indent + 4, ",")
    return [*lines, closing]


def _literal(value: PythonLiteral, head: str = "") -> str | Bracketed:
    if isinstance(value, tuple):
        return Bracketed(head, tuple(map(_literal, value)))
    if isinstance(value, str):
        return f'{head}"{value}"'
    return f"{head}{value!r}"
