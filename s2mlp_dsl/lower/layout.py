"""Calls as Python text, broken over lines as ruff breaks them."""

from dataclasses import dataclass

from s2mlp_dsl.ops.base import Construct, PythonLiteral

WIDTH = 88


@dataclass(frozen=True)
class Bracketed:
    """`head(items)`: a call, or a tuple where the head is empty or `name=`."""

    head: str
    items: tuple["str | Bracketed", ...]

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.items))
        lone_tuple = len(self.items) == 1 and not self._is_call
        return f"{self.head}({inner}{',' if lone_tuple else ''})"

    @property
    def _is_call(self) -> bool:
        return bool(self.head) and not self.head.endswith("=")


def construct(call: Construct) -> Bracketed:
    """The text of a module's construction."""
    keywords = (_literal(value, f"{name}=") for name, value in call.keywords)
    return Bracketed(call.callee, (*map(_literal, call.args), *keywords))


def assign(target: str, value: Bracketed, indent: int) -> list[str]:
    """`target = value` in as many lines as it takes."""
    return _lines(f"{target} = ", value, indent, "")


def _lines(before: str, value: str | Bracketed, indent: int, after: str) -> list[str]:
    margin = " " * indent
    whole = f"{margin}{before}{value}{after}"
    if len(whole) <= WIDTH or isinstance(value, str) or not value.items:
        return [whole]
    opening, closing = f"{margin}{before}{value.head}(", f"{margin}){after}"
    inner = f"{margin}    {', '.join(map(str, value.items))}"
    if len(inner) <= WIDTH and len(value.items) > 1:
        return (
            [opening, inner, closing]
            if value._is_call
            else _one_per_line(opening, value, indent, closing)
        )
    return _one_per_line(opening, value, indent, closing)


def _one_per_line(
    opening: str, value: Bracketed, indent: int, closing: str
) -> list[str]:
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
