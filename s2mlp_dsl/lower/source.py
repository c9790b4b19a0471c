"""A program as Python source: one file that needs PyTorch alone.

This text is the only lowering there is. `compile` runs it, `--emit torch`
prints it, so what is trained is what can be read.
"""

import builtins
import re
import textwrap
from dataclasses import dataclass

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.lower.inline import Definitions, import_lines
from s2mlp_dsl.lower.layout import WIDTH
from s2mlp_dsl.lower.lowering import Lowering
from s2mlp_dsl.lower.scope import Drop, class_lines, construct_of
from s2mlp_dsl.operators import applied

# Names that the emitted source uses for itself, and Python's own.
_USED = {"Sequence", "Tensor", "nn", "torch", *dir(builtins)}
_LONGEST_CLASS = 40


@dataclass(frozen=True)
class Origin:
    """Where a program came from, for the header of what is made of it."""

    spec: str
    version: str
    command: str | None  # None for text that is in no file


@dataclass(frozen=True)
class Source:
    """The text, and the name of the model's class in it."""

    text: str
    model_class: str


def torch_source(
    model: Model,
    analysis: Analysis,
    origin: Origin,
    lowering: Lowering,
    drops: tuple[Drop, ...] = (),
    rows: bool = False,
) -> Source:
    """The PyTorch source of a program, formatted as ruff formats.

    With `rows`, matrix products take all positions of a batch in one axis.

    `drops` are for training: they put modules without parameters into each
    residual branch, so the weights have the same names with them and without.
    """
    callees = {construct_of(op, lowering).head for op in ops_in(model)} | {
        drop.module.partition("(")[0] for drop in drops
    }
    known = Definitions(applied(op).definition for op in ops_in(model))
    modules = known.of(one for one in callees if not one.startswith("nn."))
    classes = _class_names(model, known.names)
    parts = [
        "\n".join(_header(model, analysis, origin)),
        "\n".join(import_lines(modules)),
    ]
    definitions = [one.text for one in modules]
    for block in model.blocks:
        doc = _docstring(block.doc or f"{block.source} to {block.result}.")
        lines = class_lines(
            *(classes[block.name], doc, block.body, model, classes, block.source),
            *(lowering, drops, rows),
        )
        definitions.append("\n".join(lines))
    name = classes[""]
    doc = _docstring(model.doc or f"An image to {model.result}.")
    lines = class_lines(
        name, doc, model.body, model, classes, None, lowering, drops, rows
    )
    definitions.append("\n".join(lines))
    definitions.append("\n".join(_self_check(name, model, analysis)))
    text = "\n\n".join(parts) + "\n\n\n" + "\n\n\n".join(definitions) + "\n"
    return Source(text, name)


def _class_names(model: Model, defined: frozenset[str]) -> dict[str, str]:
    """A class for each definition, and for the model under the empty name."""
    taken = _USED | defined
    names: dict[str, str] = {}
    wanted = [(block.name, block.name) for block in model.blocks]
    for key, name in [*wanted, ("", model.name)]:
        camel = _camel(name)
        candidate, number = camel, 1
        while candidate in taken:
            number += 1
            candidate = f"{camel}{number}"
        taken = taken | {candidate}
        names[key] = candidate
    return names


def _camel(name: str) -> str:
    """`s2mlp_block` to `S2mlpBlock`, of bounded length."""
    words = [word[:1].upper() + word[1:] for word in name.split("_") if word]
    camel = "".join(words)[:_LONGEST_CLASS]
    return camel if camel.isidentifier() else f"Model{camel}"


def _header(model: Model, analysis: Analysis, origin: Origin) -> list[str]:
    lines = [f'"""{model.name}, compiled from {_harmless(origin.spec)}.', ""]
    if model.doc:
        lines += [*textwrap.wrap(_harmless(model.doc), 80), ""]
    lines += [
        f"Made by s2mlp-dsl {origin.version}. Edit the spec, not this file.",
    ]
    if origin.command:
        lines += ["Made again by", "", f"    {_harmless(origin.command)}"]
    return [
        *lines,
        "",
        f"function {analysis.function_hash}",
        f"weights  {analysis.weight_hash}",
        "",
        "Maps are [batch, height, width, channels]; comments show where that changes.",
        '"""',
    ]


def _docstring(text: str) -> list[str]:
    lines = textwrap.wrap(_harmless(text), 78) or ["."]
    if len(lines) == 1:
        return [f'    """{lines[0]}"""', ""]
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """', ""]


def _harmless(text: str) -> str:
    """Text that cannot end a docstring, escape from it or hide in it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    plain = plain.replace("\\", "/").replace('"', "'")
    return re.sub(r"\s+", " ", plain).strip()


def _self_check(name: str, model: Model, analysis: Analysis) -> list[str]:
    assert analysis.image is not None
    said = f"{model.name}: output {{tuple(y.shape)}}, {{parameters:,}} parameters"
    image = ", ".join(map(str, analysis.image))
    result = ", ".join(map(str, model.result.dims))
    return [
        'if __name__ == "__main__":',
        f"    model = {name}().eval()",
        "    with torch.no_grad():",
        f"        y = model(torch.randn(2, {image}))",
        f"    assert y.shape == (2, {result}), y.shape",
        "    parameters = sum(p.numel() for p in model.parameters())",
        f"    assert parameters == {analysis.params:_}, parameters",
        *_print(said),
    ]


def _print(text: str) -> list[str]:
    line = f'    print(f"{text}")'
    if len(line) <= WIDTH:
        return [line]
    return ["    print(", f'        f"{text}"', "    )"]
