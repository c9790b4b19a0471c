"""The process that imports someone else's code: `python -m … FINDINGS FILE NAME …`.

It writes one JSON document to FINDINGS, whatever the code itself prints, to its end.
"""

import importlib.util
import inspect
import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from s2mlp_dsl.audit.judge import Judged, judge
from s2mlp_dsl.audit.tags import LAYOUTS, Code, NoMap, Seen, Size, see


class NotThere(Exception):
    """The file has no such name, or it needs arguments."""


def found_code(file: Path, name: str) -> Code:
    """The module or function of that name. A class or maker is called first."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NotThere(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise NotThere(f"{file} has no `{name}`")
        found = getattr(found, part)
    if not isinstance(found, nn.Module) and callable(found):
        needed = [
            one.name
            for one in inspect.signature(found).parameters.values()
            if one.default is one.empty and one.kind in (0, 1, 3)
        ]
        if isinstance(found, type) and needed:
            raise NotThere(
                f"`{name}` needs {', '.join(needed)}: name an object or a function "
                "without arguments that makes it"
            )
        if not needed:
            found = found()
    if not callable(found):
        raise NotThere(f"`{name}` is a {type(found).__name__}, which takes no map")
    if isinstance(found, nn.Module):
        found.eval()
    code: Code = found
    return code


def audited(
    code: Code, layouts: list[str], sizes: list[Size], backend: str
) -> dict[str, Any]:
    """What the code does in each layout, eager and compiled, as plain data."""
    tried: dict[str, Any] = {}
    for layout in layouts:
        tried[layout] = _mode(code, layout, sizes)
        if tried[layout].get("declaration"):
            break
    # Compiling takes seconds: only the layout that explains the code, else the first.
    best = next((one for one in tried if tried[one].get("declaration")), None)
    chosen = best or next((one for one in tried if "groups" in tried[one]), layouts[0])
    torch.compiler.reset()
    compiled = torch.compile(code, backend=backend, dynamic=False)
    return {
        "layout": chosen,
        "eager": tried[chosen],
        "compiled": _mode(compiled, chosen, sizes),
        "tried": {one: tried[one].get("raises", "") for one in tried},
    }


def _mode(code: Code, layout: str, sizes: list[Size]) -> dict[str, Any]:
    try:
        seen = [see(code, layout, size) for size in sizes]
    except NoMap as error:
        return {"raises": str(error)}
    return _data(judge([one.table for one in seen]), seen)


def _data(judged: Judged, seen: list[Seen]) -> dict[str, Any]:
    return {
        "groups": [{**asdict(one), "said": str(one)} for one in judged.groups],
        "edges": judged.edges,
        "declaration": judged.declaration,
        "overwrites": any(one.overwrites for one in seen),
        "gradient": next((one.gradient for one in seen if one.gradient), None),
    }


def examined(
    file: Path, name: str, layout: str | None, size: tuple[int, int, int], backend: str
) -> dict[str, Any]:
    """All findings on FILE's NAME, as plain data; the file is executed here."""
    height, width, channels = size
    sizes = [Size(height, width, channels)]
    if height <= width:  # then also taller than wide
        sizes.append(Size(width + 2, height - 1, channels, 5))
    if height >= width:
        sizes.append(Size(width - 1, height + 2, channels, 5))
    try:
        code = found_code(file, name)
    except NotThere as error:
        return {"missing": str(error)}
    except Exception as error:  # importing runs all of the file
        return {"broken": f"{type(error).__name__}: {error}"}
    layouts = [layout] if layout else list(LAYOUTS)
    result = audited(code, layouts, sizes, backend)
    if layout and not result["eager"].get("declaration"):
        other = audited(code, list(LAYOUTS), sizes, "eager")
        if other["eager"].get("declaration"):
            result["elsewhere"] = other
    return result


def main(words: list[str]) -> None:
    """FINDINGS FILE NAME LAYOUT HEIGHT WIDTH CHANNELS BACKEND.

    A layout of `-` tries all.
    """
    findings, file, name, layout, height, width, channels, backend = words
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    size = (int(height), int(width), int(channels))
    chosen = None if layout == "-" else layout
    result = examined(Path(file), name, chosen, size, backend)
    written = Path(findings).with_suffix(".part")
    written.write_text(json.dumps(result), encoding="utf-8")
    written.replace(findings)


if __name__ == "__main__":
    main(sys.argv[1:])
