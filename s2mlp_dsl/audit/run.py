"""Starting the process that imports the code, and what came of it."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 300


class AuditFailed(Exception):
    """There is nothing to judge: 2 where the name is wrong, 4 where the code breaks."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Audit:
    """The findings on one piece of code, as the process wrote them."""

    file: str
    name: str
    found: dict[str, Any]

    @property
    def is_shift(self) -> bool:
        """Whether it is one shift, the same eager and compiled, backward too."""
        eager, compiled = self.found["eager"], self.found["compiled"]
        return bool(
            eager.get("declaration")
            and eager["declaration"] == compiled.get("declaration")
            and not eager["overwrites"]
            and not eager["gradient"]
            and not compiled["gradient"]
        )

    def report(self) -> str:
        """For a person."""
        found = self.found
        lines = [f"{self.file}:{self.name}, read as {found['layout']}", ""]
        for mode in ("eager", "compiled"):
            lines += _mode(mode, found[mode])
        if elsewhere := found.get("elsewhere"):
            lines += [
                "",
                f"It is a shift of a {elsewhere['layout']} map instead:",
                "",
                elsewhere["eager"]["declaration"],
            ]
        lines.append("")
        if self.is_shift:
            others = found["eager"]["edges"][1:]
            lines.append("a shift, eager and compiled, forward and backward:")
            lines += ["", found["eager"]["declaration"]]
            if others:
                lines.append(f"(here the same as edge {' or '.join(others)})")
        else:
            lines.append(f"NOT a shift of a {found['layout']} map: {self._reason()}")
        return "\n".join(lines)

    def _reason(self) -> str:
        eager, compiled = self.found["eager"], self.found["compiled"]
        if "raises" in eager:
            return f"it {eager['raises']}"
        if "raises" in compiled:
            return f"compiled it {compiled['raises']}"
        if _words(eager) != _words(compiled):
            return "eager and compiled code do different things"
        if not eager["declaration"]:
            if all(one["what"] == "stay" for one in eager["groups"]):
                return "nothing moves"
            return "see the channels above"
        if eager["overwrites"]:
            return "it changes the map that enters"
        return f"its gradient is not: {eager['gradient'] or compiled['gradient']}"


def audit(
    file: Path,
    name: str,
    *,
    layout: str | None = None,
    size: tuple[int, int, int] = (6, 7, 16),
    backend: str = "inductor",
) -> Audit:
    """Run FILE's NAME in a process of its own and judge what it does to maps.

    `size` is height, width and channels of the maps. The file is executed, as
    `python FILE` would. Raises `AuditFailed`.
    """
    words = [str(file), name, layout or "-", *map(str, size), backend]
    with tempfile.TemporaryDirectory() as folder:
        findings = Path(folder) / "findings.json"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "s2mlp_dsl.audit.inside", findings, *words],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                # A random.py beside the user must not be imported for ours.
                env={**os.environ, "PYTHONSAFEPATH": "1"},
            )
        except subprocess.TimeoutExpired as error:
            raise AuditFailed(f"{file} was not done after {SECONDS} s", 4) from error
        if not findings.is_file():
            last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            message = f"{file} ended its process ({done.returncode}): {last}"
            raise AuditFailed(message, 4)
        found: dict[str, Any] = json.loads(findings.read_text(encoding="utf-8"))
    if "missing" in found:
        raise AuditFailed(found["missing"], 2)
    if "broken" in found:
        raise AuditFailed(f"{file} cannot be imported: {found['broken']}", 4)
    return Audit(str(file), name, found)


def _mode(name: str, found: dict[str, Any]) -> list[str]:
    if "raises" in found:
        return [f"  {name}: {found['raises']}"]
    lines = [f"  {name}"]
    lines += [f"    {one['said']}" for one in found["groups"]]
    if found["overwrites"]:
        lines.append("    the map that enters is changed")
    if found["gradient"]:
        lines.append(f"    {found['gradient']}")
    return lines


def _words(found: dict[str, Any]) -> list[str]:
    return [one["said"] for one in found["groups"]]
