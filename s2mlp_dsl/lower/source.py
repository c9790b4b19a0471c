"""A model as Python source: one file that needs only PyTorch.

There is no other lowering: `compile` runs this text and `--emit torch` prints it, so
the module that is trained is the file that can be read.
"""

import builtins
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.lower.definitions import Definitions, import_lines
from s2mlp_dsl.lower.formatting import WIDTH
from s2mlp_dsl.lower.module_class import ClassWriter, Head, Regularizer
from s2mlp_dsl.lower.shift_implementations import construct

# Names that the emitted source uses itself, and Python's own.
_USED = {"F", "Sequence", "Tensor", "nn", "torch", "wrap", *dir(builtins)}
_LONGEST_CLASS = 40


@dataclass(frozen=True)
class Provenance:
    """What made a source, for its header. `command` is None where no file was read."""

    spec: str
    version: str
    command: str | None


@dataclass(frozen=True)
class Source:
    """The text, and the name of the model's class in it."""

    text: str
    model_class: str


def torch_source(
    model: Model,
    analysis: Analysis,
    provenance: Provenance,
    lowering: str,
    regularizers: tuple[Regularizer, ...] = (),
    rows: bool = False,
    head: Head | None = None,
) -> Source:
    """The PyTorch source of a model, formatted as ruff formats.

    `lowering` names the shift implementation. With `rows`, matrix products take all
    positions of a batch along one axis. With a `head`, `forward` is in two parts.
    Raises `CannotLower` (A0312) for modules of
    packages that cannot be emitted.
    """
    callees = {construct(op, lowering).callee for op in ops_in(model)}
    callees |= {one.constructor.partition("(")[0] for one in regularizers}
    known = Definitions(model, lowering)
    modules = known.of(one for one in callees if not one.startswith("nn."))
    classes = _class_names(model, known.known)
    writer = ClassWriter(model, classes, lowering, regularizers, rows)
    definitions = [one.text for one in modules]
    for block in model.blocks:
        doc = _docstring(block.doc or f"{block.source} to {block.result}.")
        definitions.append(
            writer.write(classes[block.name], doc, block.body, block.source)
        )
    name, doc = classes[""], _docstring(model.doc or f"An image to {model.result}.")
    definitions.append(writer.write(name, doc, model.body, None, head))
    definitions.append(_self_check(name, model, analysis))
    header = _header(model, analysis, provenance)
    imports = "\n".join(import_lines(modules))
    text = "\n\n\n".join([f"{header}\n\n{imports}", *definitions]) + "\n"
    return Source(text, name)


def _class_names(model: Model, defined: Iterable[str]) -> dict[str, str]:
    """A class name for each block, and for the model under the empty name."""
    taken = _USED.union(defined)
    names: dict[str, str] = {}
    wanted = [(block.name, block.name) for block in model.blocks]
    for key, name in [*wanted, ("", model.name)]:
        camel = _camel(name)
        candidate, number = camel, 1
        while candidate in taken:
            number += 1
            candidate = f"{camel}{number}"
        taken.add(candidate)
        names[key] = candidate
    return names


def _camel(name: str) -> str:
    """`s2mlp_block` to `S2mlpBlock`, of bounded length."""
    words = [word[:1].upper() + word[1:] for word in name.split("_") if word]
    camel = "".join(words)[:_LONGEST_CLASS]
    return camel if camel.isidentifier() else f"Model{camel}"


def _header(model: Model, analysis: Analysis, provenance: Provenance) -> str:
    lines = [f'"""{model.name}, compiled from {_harmless(provenance.spec)}.', ""]
    if model.doc:
        lines += [*textwrap.wrap(_harmless(model.doc), 80), ""]
    lines += [f"Made by s2mlp-dsl {provenance.version}. Edit the spec, not this file."]
    command = provenance.command
    # One that would have to be changed to be shown, within its quotes, is left out.
    if command and command == _harmless(command):
        lines += ["Made again by", "", f"    {command}"]
    lines += [
        "",
        f"function {analysis.function_hash}",
        f"weights  {analysis.weight_hash}",
        "",
        "Maps are [batch, height, width, channels]; comments show where that changes.",
        '"""',
    ]
    return "\n".join(lines)


def _docstring(text: str) -> list[str]:
    lines = textwrap.wrap(_harmless(text), 78) or ["."]
    if len(lines) == 1:
        return [f'    """{lines[0]}"""', ""]
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """', ""]


def _harmless(text: str) -> str:
    """Text that can neither end a docstring nor escape or hide anything in it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    plain = plain.replace("\\", "/").replace('"', "'")
    return re.sub(r"\s+", " ", plain).strip()


def _self_check(name: str, model: Model, analysis: Analysis) -> str:
    assert analysis.image is not None
    image = ", ".join(map(str, analysis.image))
    result = ", ".join(map(str, model.result.dims))
    shown = f"{model.name}: output {{tuple(y.shape)}}, {{parameters:,}} parameters"
    printed = [f'    print(f"{shown}")']
    if len(printed[0]) > WIDTH:
        printed = ["    print(", f'        f"{shown}"', "    )"]
    lines = [
        'if __name__ == "__main__":',
        f"    model = {name}().eval()",
        "    with torch.no_grad():",
        f"        y = model(torch.randn(2, {image}))",
        f"    assert y.shape == (2, {result}), y.shape",
        "    parameters = sum(p.numel() for p in model.parameters())",
        f"    assert parameters == {analysis.params:_}, parameters",
        *printed,
    ]
    return "\n".join(lines)
