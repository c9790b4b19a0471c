"""The command line, here or in a process of its own."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess

from s2mlp_dsl.cli import main

ROOT = Path(__file__).parents[2]


def s2mlp(*arguments: str | Path, cwd: Path = ROOT) -> CompletedProcess[str]:
    """Run `s2mlp-dsl` in this process; what it printed, and its exit code.

    PyTorch takes seconds to import, which most tests of commands need not wait for.
    """
    words = [*map(str, arguments)]
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2))
    code: object = 0
    with chdir(cwd), _unchanged(), redirect_stdout(out), redirect_stderr(err):
        sys.argv = ["s2mlp-dsl", *words]
        try:
            main()
        except SystemExit as exit:
            code = exit.code
    assert isinstance(code, int)
    texts = []
    for stream in (out, err):
        stream.flush()
        assert isinstance(stream.buffer, BytesIO)
        texts.append(stream.buffer.getvalue().decode())
    return CompletedProcess(words, code, *texts)


@contextmanager
def _unchanged() -> Iterator[None]:
    """Put back what `main` sets for the whole process."""
    argv, environment, thresholds = sys.argv, dict(os.environ), gc.get_threshold()
    modules = {"interegular": sys.modules.get("interegular")}
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        gc.enable()
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
        for name, module in modules.items():
            if module is None:
                sys.modules.pop(name, None)


def process(*arguments: str | Path, cwd: Path = ROOT) -> CompletedProcess[str]:
    """Run `s2mlp-dsl` in a process of its own, as a user has it."""
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
