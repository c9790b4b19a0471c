"""The README's spec is the file, and its commands run."""

import re
import shlex
import shutil
from pathlib import Path

from tests.cli.running import ROOT, process

README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_spec_is_the_file() -> None:
    (shown,) = blocks("arch")
    assert (ROOT / "specs" / "s2mlp.arch").read_text().startswith(shown)


def test_the_commands_run(tmp_path: Path) -> None:
    """The tour, in order, in a folder that has the specs and one image."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "IMAGE.png").write_bytes(_digit())
    (tmp_path / "THEIRS.py").write_text("def NAME(x):\n    return x.roll(1, 2)\n")
    (tour,) = [one for one in blocks("sh") if "explain" in one]
    for line in tour.splitlines():
        command = shlex.split(line, comments=True)
        assert command[0] == "s2mlp-dsl"
        # A short training is enough here; what it reaches is tested elsewhere.
        short = {"train": ["--set", "epochs=3"], "study": ["--dry-run"]}
        if command[1] == "verify":
            command[2] = "specs/digits.arch"
        done = process(*command[1:], *short.get(command[1], []), cwd=tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert {"s2mlp_deep.py", "deep.svg", "runs"} <= {
        path.name for path in tmp_path.iterdir()
    }


def _digit() -> bytes:
    import io

    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    file = io.BytesIO()
    pixels = (load_digits().images[5] * 255 / 16).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
