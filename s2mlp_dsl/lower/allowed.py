"""The finished text, held against what it may contain, before it is run.

Only validated names and literals reach the text. This is the second lock: if
that were ever to fail, nothing but module definitions could be executed.
"""

import ast

_MODULES = {"torch", "collections.abc"}
_CALLS = {
    "enumerate", "sorted", "len", "max", "min", "print", "range", "slice",
    "list", "sum", "super", "tuple", "zip", "int", "float",
}  # fmt: skip
_DUNDERS = {"__init__", "__name__"}
_FORBIDDEN = (
    ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await, ast.Delete,
    ast.Global, ast.Nonlocal, ast.Lambda, ast.NamedExpr, ast.Raise, ast.Try,
    ast.While, ast.Yield, ast.YieldFrom, ast.Match,
)  # fmt: skip


class ForbiddenSource(Exception):
    """The generated text contains something that no model needs."""


def check_source(text: str) -> None:
    """Raise `ForbiddenSource` unless the text only defines modules."""
    tree = ast.parse(text)
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, _FORBIDDEN):
            raise ForbiddenSource(f"line {node.lineno}: {type(node).__name__}")
        if isinstance(node, ast.Import):
            _all_in({alias.name for alias in node.names}, _MODULES, node)
        elif isinstance(node, ast.ImportFrom):
            _all_in({node.module or ""}, _MODULES, node)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            _all_in({node.attr}, _DUNDERS, node)
        elif isinstance(node, ast.Name) and node.id.startswith("__"):
            _all_in({node.id}, _DUNDERS, node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            _all_in({node.func.id}, _CALLS | defined | {"model"}, node)


def _all_in(found: set[str], allowed: set[str], node: ast.stmt | ast.expr) -> None:
    if not found <= allowed:
        raise ForbiddenSource(f"line {node.lineno}: {', '.join(found - allowed)}")
