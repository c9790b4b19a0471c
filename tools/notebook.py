"""Run docs/tour.ipynb and rewrite its outputs.

python tools/notebook.py           # write
python tools/notebook.py --check   # exit 1 if an output is stale
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "tour.ipynb"
_SHOWN = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}


def outputs(code: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """What Jupyter stores for a cell: printed text, and the value of its last line."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    found: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        found.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        shown = {
            kind: getattr(value, method)()
            for kind, method in _SHOWN.items()
            if hasattr(value, method)
        }
        data = {kind: text for kind, text in shown.items() if text is not None}
        # Beside a picture the type is enough: reprs are long and change often.
        data["text/plain"] = f"<{type(value).__name__}>" if data else repr(value)
        found.append({"output_type": "execute_result", "metadata": {}, "data": data})
    return found


def refreshed(text: str) -> str:
    """The notebook with fresh outputs."""
    notebook = json.loads(text)
    names: dict[str, Any] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        cell["execution_count"] = number
        cell["outputs"] = outputs("".join(cell["source"]), names)
        for output in cell["outputs"]:
            if output["output_type"] == "execute_result":
                output["execution_count"] = number
                lines = output["data"].items()
                output["data"] = {k: v.splitlines(keepends=True) for k, v in lines}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    os.chdir(NOTEBOOK.parent)
    text = NOTEBOOK.read_text(encoding="utf-8")
    fresh = refreshed(text)
    if "--check" in sys.argv[1:]:
        return int(fresh != text)
    NOTEBOOK.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
