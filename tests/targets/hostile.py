"""Two hundred hostile texts, and one spec that has all which the language takes."""

from functools import cache

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import ChoiceError, load

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
# A file may have any name that its system allows.
FILE = "\"];<img src=x onerror=alert(1)>'\\{x}\u202e.arch"


def spec(name: str = "m", label: str = "", doc: str = "") -> str:
    label = f"{label}: " if label else ""
    doc = f'"""{doc}"""\n' if doc else ""
    return (
        f"edition 1\n{doc}block b {{\n    gelu\n}}\n"
        f"{doc}model {name} {{\n    image(2, 2, 2)\n    b\n"
        f"    {label}linear(2)\n    pool(mean)\n}}\n"
    )


def program(text: str) -> Program | None:
    """None where the front end refuses it, which is one right answer."""
    try:
        return elaborate(text)
    except (SpecError, ChoiceError):
        return None


@cache
def labels() -> list[str]:
    """Those that are taken as a label; a comment in its place is none."""
    words = [one for one in dict.fromkeys(HOSTILE) if one.isidentifier()]
    return [one for one in words if program(spec(label=one))]


@cache
def docs() -> list[str]:
    """Those that are taken as a docstring."""
    return [one for one in dict.fromkeys(HOSTILE) if one and program(spec(doc=one))]


@cache
def everything(blocks: bool = True) -> Program:
    """One model with every label and docstring that is taken, of a hostile file.

    Without `blocks` all docstrings are the model's.
    """
    written = [
        f'"""{doc}"""\nblock b{number} {{\n    gelu\n}}\n'
        for number, doc in enumerate(docs() if blocks else [])
    ]
    calls = [f"    b{number}\n" for number in range(len(written))]
    labelled = [f"    {label}: linear(2)\n" for label in labels()]
    body = "".join(["    image(2, 2, 2)\n", *calls, *labelled, "    pool(mean)\n"])
    doc = " ".join(one for one in docs() if not one.endswith(('"', "\\")))
    text = "".join(["edition 1\n", *written, f'"""{doc} ."""\nmodel m {{\n{body}}}\n'])
    return elaborate(load(text, FILE))
