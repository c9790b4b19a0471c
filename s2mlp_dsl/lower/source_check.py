"""A check of emitted source against an allowlist, before it is executed.

Only validated names and literals are written into a source. This is a second line of
defence: if that validation failed, the source could still only define modules. Anything
not listed here is refused: kinds of syntax, names that are read, members of torch, and
attributes of anything but `self` and autograd's `ctx`.
"""

import ast
import builtins
import threading
from collections.abc import Iterable, Iterator

_PARSING = threading.Lock()
_IMPORTS = {
    "torch": {"Tensor", "nn"}, "torch.autograd": {"Function"},
    "torch.fx": {"wrap"}, "torch.nn": {"functional"},
    "collections.abc": {"Sequence"}, "math": {"gcd"}, "typing": {"Any"},
}  # fmt: skip
_BUILTINS = {
    "__name__", "abs", "bool", "enumerate", "float", "int", "len", "list", "max",
    "min", "print", "range", "reversed", "sorted", "staticmethod", "str",
    "sum", "super", "tuple", "zip",
}  # fmt: skip
_OF_TORCH = {
    "_assert", "addcmul", "arange", "cat", "conv2d", "empty", "int32", "maximum",
    "minimum", "no_grad", "ones", "rand", "randn", "split", "stack", "sym_max",
    "tensor", "unflatten", "where", "zeros", "zeros_like",
}  # fmt: skip
_OF_FUNCTIONAL = {
    "avg_pool2d", "batch_norm", "conv2d", "group_norm", "linear", "max_pool2d",
}  # fmt: skip
_OF_VALUES = {
    "__init__", "_apply", "add_", "amax", "apply", "argsort", "chunk", "clamp",
    "constant_", "copy_", "device", "dim", "dtype", "eval", "expand", "expand_as",
    "extra_repr", "flatten", "forward", "index_select", "is_meta", "mean", "narrow",
    "normal_", "numel", "ones_", "parameters", "permute", "repeat_interleave",
    "reshape", "shape", "softmax", "split", "squeeze", "sum", "to", "transpose",
    "unflatten", "unsqueeze", "view", "zeros_",
}  # fmt: skip
_DECORATORS = {"staticmethod", "wrap"}
_SYNTAX = (
    # definitions
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef,
    ast.arguments, ast.arg,
    # statements
    ast.AnnAssign, ast.Assert, ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.If,
    ast.Return, ast.With, ast.withitem,
    # expressions
    ast.Attribute, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant,
    ast.FormattedValue, ast.GeneratorExp, ast.IfExp, ast.JoinedStr, ast.List,
    ast.ListComp, ast.Name, ast.Slice, ast.Starred, ast.Subscript, ast.Tuple,
    ast.UnaryOp, ast.comprehension, ast.keyword,
    # their operators and contexts
    ast.boolop, ast.cmpop, ast.expr_context, ast.operator, ast.unaryop,
)  # fmt: skip


class ForbiddenSource(Exception):
    """A source contains `found`, which no model needs."""

    def __init__(self, found: str, line: int | None) -> None:
        super().__init__(f"line {line or '?'}: {found}")
        self.found = found


def parsed(text: str) -> ast.Module:
    """The syntax tree. One thread at a time: CPython 3.11 counts depth for all."""
    with _PARSING:
        return ast.parse(text)


def check_source(text: str, known: Iterable[str] = ()) -> None:
    """Raise `ForbiddenSource` unless the text only defines modules.

    `known` are names that the text may use without defining them.
    """
    nodes = list(ast.walk(parsed(text)))
    known = {*known, *_bound_in(nodes), *_BUILTINS, "torch"}
    modules = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        found = _not_allowed(node, known)
        if isinstance(node, ast.Name) and node.id in ("torch", "nn", "F"):
            # Passed around as a value, a module would escape the check of its members.
            found = None if id(node) in modules else f"{node.id} as a value"
        if found:
            raise ForbiddenSource(found, getattr(node, "lineno", None))


def _bound_in(nodes: list[ast.AST]) -> Iterator[str]:
    """The names that the text itself binds."""
    for node in nodes:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)


def _not_allowed(node: ast.AST, known: set[str]) -> str | None:
    """What a node contains that is not allowed, None if nothing."""
    if not isinstance(node, _SYNTAX):
        return type(node).__name__
    match node:
        case ast.Import(names=names):
            return _beyond({alias.name for alias in names}, {"torch"})
        case ast.ImportFrom(module=module, names=names, level=level):
            allowed = set() if level else _IMPORTS.get(module or "", set())
            return _beyond({alias.name for alias in names}, allowed)
        case ast.alias(name="functional", asname="F"):
            return None
        case ast.alias(asname=str(name)):
            return f"as {name}"
        case ast.ClassDef(decorator_list=[_, *_]) | ast.ClassDef(keywords=[_, *_]):
            return "a decorator or a metaclass"
        case ast.FunctionDef(decorator_list=[_, *_] as found) if not all(
            isinstance(one, ast.Name) and one.id in _DECORATORS for one in found
        ):
            return "a decorator"
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
            return None if name in ("__init__", "_apply") else _hidden(name)
        case ast.Name(id=name, ctx=ast.Store()):
            return _hidden(name)
        case ast.Name(id=name):
            return _beyond({name}, known)
        case ast.Attribute(value=ast.Name(id="torch"), attr=name):
            return _beyond({name}, _OF_TORCH)
        case ast.Attribute(value=ast.Name(id="F"), attr=name):
            return _beyond({name}, _OF_FUNCTIONAL)
        case ast.Attribute(value=ast.Name(id="nn"), attr=name):
            return None if name[0].isupper() or name == "init" else name
        case ast.Attribute(value=ast.Name(id="self" | "ctx"), attr=name):
            return name if name.startswith("_") else None
        case ast.Attribute(attr=name):
            return _beyond({name}, _OF_VALUES)
    return None


def _hidden(name: str) -> str | None:
    """A name that would shadow a builtin or be private."""
    if name == "_":
        return None
    return name if name.startswith("_") or hasattr(builtins, name) else None


def _beyond(found: set[str], allowed: set[str]) -> str | None:
    return ", ".join(sorted(found - allowed)) or None
