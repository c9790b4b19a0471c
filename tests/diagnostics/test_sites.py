"""Where diagnostics are made: each call gives what the templates of its message need.

Read from the source, so that a template which lacks a field fails here and not in the
hands of the user who makes that mistake first.
"""

import ast
import importlib
import pkgutil
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import s2mlp_dsl
from s2mlp_dsl.diagnostics import CODES, Code, Message, catalogue

PACKAGE = Path(s2mlp_dsl.__file__).parent
CATALOGUE = catalogue.__name__
TEXTS = PACKAGE / "diagnostics" / "texts"
MAKERS = {"add", "fail", "at", "Refusal"}
# Arguments of these that are not fields of a template.
NOT_FIELDS = {
    *("related", "secondary", "also", "notes", "help", "fix", "argument", "label"),
}


@cache
def modules() -> dict[str, dict[str, object]]:
    """The modules of the catalogue, by name, with what they define."""
    names = [module.name for module in pkgutil.iter_modules(catalogue.__path__)]
    return {
        name: vars(importlib.import_module(f"{CATALOGUE}.{name}")) for name in names
    }


@dataclass(frozen=True)
class Site:
    """A call that makes a diagnostic, of one of these messages."""

    call: ast.Call
    messages: tuple[Message | Code, ...]
    where: str

    @property
    def given(self) -> dict[str | None, ast.expr]:
        return {keyword.arg: keyword.value for keyword in self.call.keywords}


class Names:
    """What the names of a file stand for, as far as they are of the catalogue."""

    def __init__(self, tree: ast.Module) -> None:
        self.modules: dict[str, dict[str, object]] = {}
        self.constants: dict[str, object] = {}
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            for alias in node.names:
                local = alias.asname or alias.name
                if node.module == CATALOGUE and alias.name in modules():
                    self.modules[local] = modules()[alias.name]
                elif alias.name == "codes":
                    module = importlib.import_module(f"{node.module}.codes")
                    self.modules[local] = vars(module)
                elif node.module.startswith(CATALOGUE) or node.module[-6:] == ".codes":
                    module = importlib.import_module(node.module)
                    self.constants[local] = getattr(module, alias.name)

    def __getitem__(self, node: ast.AST) -> object:
        match node:
            case ast.Name(id):
                return self.constants.get(id)
            case ast.Attribute(ast.Name(module), name) if module in self.modules:
                return self.modules[module].get(name)
        return None

    def messages(self, node: ast.expr) -> tuple[Message | Code, ...]:
        if isinstance(node, ast.IfExp):
            return (*self.messages(node.body), *self.messages(node.orelse))
        found = self[node]
        return (found,) if isinstance(found, Message | Code) else ()


@cache
def files() -> dict[str, ast.Module]:
    """The product's files outside the catalogue."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent.name != "catalogue"
    }


@cache
def sites() -> list[Site]:
    return [
        Site(node, messages, f"{name}:{node.lineno}")
        for name, tree in files().items()
        for names in [Names(tree)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for messages in [made(node, names)]
        if messages
    ]


def made(call: ast.Call, names: Names) -> tuple[Message | Code, ...]:
    """The messages that a call may report, as far as it names them itself."""
    match call:
        case ast.Call(ast.Attribute(owner, "at")) if names[owner] is not None:
            return names.messages(owner)
        case ast.Call(ast.Attribute(attr=name) | ast.Name(name), [first, *_]):
            return names.messages(first) if name in MAKERS else ()
    return ()


def fields(*templates: str | None) -> set[str]:
    found = [
        name
        for template in templates
        for _, name, _, _ in string.Formatter().parse(template or "")
        if name is not None
    ]
    return {name.replace("[", ".").partition(".")[0] for name in found}


def needed(message: Message) -> set[str]:
    return fields(message.label, *message.related, *message.notes)


def with_message() -> Iterator[tuple[Site, list[Message]]]:
    for site in sites():
        messages = [one for one in site.messages if isinstance(one, Message)]
        if messages:
            yield site, messages


def test_fields_are_those_of_the_templates() -> None:
    wrong = []
    for site, messages in with_message():
        given = {name for name in site.given if name not in NOT_FIELDS}
        wanted = set().union(*map(needed, messages))
        helped = wanted.union(*(fields(message.help) for message in messages))
        # Where `help` is given it may be None, and then it is that of the template.
        fits = wanted <= given <= helped if "help" in site.given else given == helped
        if None not in given and not fits:
            wrong.append(f"{site.where}: given {given}, needed {helped}")
    assert not wrong


def test_related_places_are_as_many_as_templates() -> None:
    wrong = []
    for site, messages in with_message():
        related = site.given.get("related")
        for message in messages:
            count = len(message.related)
            if isinstance(related, ast.List | ast.Tuple):
                fits = len(related.elts) == count
            else:  # else one span, or a list that is made up elsewhere
                fits = (related is not None) == (count > 0)
            if not fits:
                wrong.append(f"{site.where}: {count} templates")
    assert not wrong


def test_no_prose_at_the_site() -> None:
    """Wording is in the catalogue. What is computed comes from a function."""
    wrong = []
    for site, _ in with_message():
        prose = [*site.call.args, site.given.get("help"), site.given.get("label")]
        if any(isinstance(one, ast.JoinedStr) or is_text(one) for one in prose):
            wrong.append(site.where)
    assert not wrong


def is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def unconverted() -> dict[str, Code]:
    """Sites that give a bare code, whose wording is not in the catalogue yet."""
    return {
        site.where: one
        for site in sites()
        for one in site.messages
        if isinstance(one, Code)
    }


def test_sites_without_a_message() -> None:
    print(f"{len(unconverted())} sites give a bare code:", *unconverted(), sep="\n")


def exported(tree: ast.Module) -> list[str]:
    """What a file has in `__all__`, for packages to use."""
    return [
        name.value
        for node in tree.body
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets)
        for name in ast.walk(node.value)
        if isinstance(name, ast.Constant)
    ]


def test_every_message_is_used() -> None:
    used = set()
    for tree in files().values():
        names = Names(tree)
        found = [names[node] for node in ast.walk(tree)]
        found += [names.constants.get(name) for name in exported(tree)]
        used |= {id(one) for one in found if isinstance(one, Message)}
    unused = [
        f"{module}.{name}"
        for module, defined in modules().items()
        for name, value in defined.items()
        if isinstance(value, Message)
        and not name.startswith("_")
        and id(value) not in used
        and value.code not in unconverted().values()
    ]
    assert not unused


def test_every_code_is_explained() -> None:
    assert {f"{number}.md" for number in CODES} == {
        path.name for path in TEXTS.iterdir()
    }


def test_every_code_is_listed() -> None:
    defined = {
        value.number
        for module in modules().values()
        for value in module.values()
        if isinstance(value, Code)
    }
    assert defined == set(CODES)
