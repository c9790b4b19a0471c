"""Hostile names and docstrings: refused, or harmless in every artifact."""

import ast
import builtins
import json
from typing import Any

import pytest

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import ChoiceError
from s2mlp_dsl.lower.allowed import check_source

# What would be seen if any of it were executed.
BOOM = "raise SystemExit('boom')"
PAYLOADS = [
    f"{quote}{end}{BOOM}{end}{quote}"
    for quote in ("", '"', "'", "'''", '"""', "\\", "`", "#", "%", "{")
    for end in ("\n", "\r", "\r\n", "; ", "\x00", "\u2028", "\u0085", "\x0b")
]
SCRIPTS = [
    f"{before}<script>alert(1)</script>{after}"
    for before in ("", '"', "]]>", "-->", "</svg>", "\\", "<![CDATA[")
    for after in ("", "<!--", "\\l", "\\N", '"];')
]
WORDS = [
    *("__import__", "__class__", "__builtins__", "__dict__", "eval", "exec", "open"),
    *("class", "def", "lambda", "None", "True", "self", "torch", "nn", "super"),
    *("forward", "training", "register_buffer", "modules", "print", "Tensor"),
    *("x", "y", "a.b", "a b", "a-b", "1a", "", " ", "..", "../up", "con", "nul"),
    *("lіnear", "ｓelf", "ﬁle", "ª", "ℌ", "е", "а", "Ⅳ", "x\u200b", "x\u202e", "é"),
    *("os.system('true')", "__import__('os')", "{0.__class__}", "%(x)s", "${x}"),
    *("subgraph", "node", "edge", "graph", "digraph", "strict", "label"),
    *("a" * 300, "_", "__", "_" * 50, "0", "-1", "1/4", "dim", "rest", "stay"),
]
HOSTILE = [*PAYLOADS, *SCRIPTS, *WORDS, *[f"a{word}" for word in WORDS[:25]]]


def spec(name: str = "m", label: str = "", doc: str = "") -> str:
    label = f"{label}: " if label else ""
    doc = f'"""{doc}"""\n' if doc else ""
    return (
        f"edition 1\n{doc}block b {{\n    gelu\n}}\n"
        f"{doc}model {name} {{\n    image(2, 2, 2)\n    b\n"
        f"    {label}linear(2)\n    pool(mean)\n}}\n"
    )


def test_there_are_two_hundred() -> None:
    assert len(set(HOSTILE)) >= 200


def _program(text: str) -> Program | None:
    """None where the front end refuses it, which is one right answer."""
    try:
        return elaborate(text)
    except (SpecError, ChoiceError):
        return None


def _opened(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute or parse each artifact; nothing but torch may be imported."""
    wanted = set()
    real = builtins.__import__

    def watched(name: str, *rest: Any, **more: Any) -> Any:
        wanted.add(name.partition(".")[0])
        return real(name, *rest, **more)

    text = program.emit("torch").decode()
    check_source(text)
    fx = program.emit("fx").decode()
    tree = ast.parse(fx)
    kinds = [type(one) for one in tree.body]
    assert kinds == [ast.Expr, ast.FunctionDef]
    assert not ast.get_docstring(tree) or BOOM not in fx.partition('"""\n\n\n')[2]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", watched)
        exec(compile(text, "<hostile>", "exec"), {"__name__": "hostile"})
    assert wanted <= {"torch", "collections"}
    document = json.loads(program.emit("ir-json"))
    assert document["model"]["name"] == program.model.name
    again = elaborate(program.emit("ir").decode())
    assert again.model == program.model
    name = program.model.name
    assert name.isidentifier() and name.isascii()


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_as_a_name(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (spec(name=HOSTILE[number]), spec(label=HOSTILE[number])):
        program = _program(text)
        if program is not None:
            _opened(program, monkeypatch)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_as_a_docstring(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _program(spec(doc=HOSTILE[number]))
    if program is not None:
        _opened(program, monkeypatch)
        svg = program.diagram().render("svg").decode()
        assert "<script" not in svg


def test_some_are_taken_and_some_refused() -> None:
    """Else the tests above would have looked at nothing."""
    names = [_program(spec(label=one)) is not None for one in HOSTILE]
    docs = [_program(spec(doc=one)) is not None for one in HOSTILE]
    assert sum(names) >= 40 and not all(names)
    assert sum(docs) >= 150
