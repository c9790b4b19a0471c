"""The command group, and exit codes in place of tracebacks.

Exit codes: 0 success; 1 the spec is wrong or a check failed; 2 wrong usage; 3 a
bug in s2mlp-dsl; 4 environment error (missing data, disk, device, non-finite loss).
"""

import gc
import importlib
import os
import signal
import sys
from io import StringIO, TextIOWrapper
from types import FrameType
from typing import Any, NoReturn

import click

# Name to what `--help` says. A command's module, in `commands/`, is imported when the
# command runs.
COMMANDS = {
    "audit": "Check whether PyTorch code computes a spatial shift.",
    "bench": "Measure latency, throughput and peak memory on this machine.",
    "check": "Check shapes, parameters, MACs, receptive field and claims.",
    "compare": "Compare models by the properties of the paper's table 1.",
    "compile": "Compile a model to PyTorch source, IR, ONNX or another target.",
    "diagram": "Draw a model.",
    "diff": "Show how two models differ in meaning.",
    "eval": "Evaluate a trained run on its test set.",
    "explain": "Explain a diagnostic code, with examples.",
    "fmt": "Format specs; comments are kept.",
    "export-run": "Export a run as a folder that needs only PyTorch.",
    "import-weights": "Convert third-party weights to a spec's parameter names.",
    "ops": "Describe an operator, or list them all.",
    "predict": "Classify images with a trained run.",
    "report": "Write an HTML page that explains models.",
    "show": "Print a model as declared, or expanded.",
    "study": "Train the rows of a study with its seeds, and compare them.",
    "train": "Train a model by a recipe.",
    "verify": "Verify a compiled model against its spec.",
}


class LazyGroup(click.Group):
    """Imports the module of a command when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        file = name.replace("-", "_")
        module = importlib.import_module(f"s2mlp_dsl.cli.commands.{file}")
        # Imported modules stay alive, and so does most of what a compiler makes:
        # collecting garbage in them often would be time wasted.
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="s2mlp-dsl", prog_name="s2mlp-dsl")
def app() -> None:
    """A language and compiler for vision MLPs of the spatial-shift family."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    gc.disable()  # until a command is imported: imports leave no garbage
    # To look for plug-ins, pydantic would read the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Processes that we start must not import a json.py that lies where the user is.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    # Where it is installed, for a test, Lark imports it at every start.
    sys.modules.setdefault("interegular", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show × prints an escape instead of failing.
            stream.reconfigure(errors="backslashreplace")
    interrupts = _note_interrupts()
    try:
        code = _run(interrupts)
    except KeyboardInterrupt:
        code = 130
    # All that is left is to exit: Ctrl-C must not change the code any more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(130 if interrupts else code)


def _run(interrupts: list[int]) -> int:
    """Run the command line and return its code."""
    try:
        result: Any = app.main(prog_name="s2mlp-dsl", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except click.ClickException as error:
        said = StringIO()
        error.show(said)
        _complain(said.getvalue().removesuffix("\n"))
        code = error.exit_code
    except click.Abort:
        code = 130
    except BrokenPipeError:
        code = _unread()
    except SystemExit:
        # Click meets a closed pipe before we do, and leaves with 1.
        if not type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):
            raise
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        code = _unread()
    except Exception as error:
        code = 130 if interrupts else _raised(error)
    return code


def _note_interrupts() -> list[int]:
    """Ctrl-C, when it came: a library may turn it into an error of its own."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    return came


def _unread() -> int:
    """Whoever read our output has stopped, as `head` does. That is not an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _raised(error: Exception) -> int:
    """Print what is wrong and return the exit code."""
    # Imported here so that `--help` does not wait for them.
    from s2mlp_dsl.cli.output import print_diagnostics
    from s2mlp_dsl.diagnostics import AlreadyReported, SpecError
    from s2mlp_dsl.elaborate.spec import ChoiceError

    if isinstance(error, SpecError):
        print_diagnostics(error.diagnostics)
        return error.exit_code
    if isinstance(error, ChoiceError):
        _complain(f"error: {error}")
        return 2
    # PyTorch's words, and those of the loader of its libraries.
    signs = ("can't allocate memory", "failed to map segment")
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in signs):
        _complain("error: this machine has too little memory for it")
        return 4
    if isinstance(error, OSError):
        _complain(f"error: {error}")
        return 4
    code = getattr(error, "exit_code", None)
    if isinstance(code, int) and not isinstance(error, AlreadyReported):
        _complain(f"error: {error}")
        return code
    if os.environ.get("S2MLP_DSL_TRACEBACK"):
        raise error
    _complain(
        f"bug: {type(error).__name__}: {error}\n"
        "This is a bug in s2mlp-dsl, not in your file. Please report it with the "
        "file and the command; S2MLP_DSL_TRACEBACK=1 shows the traceback."
    )
    return 3


def _complain(text: str) -> None:
    """Print lines; control characters, as names in files can have, are escaped."""
    from s2mlp_dsl.escape import plain_lines

    print(plain_lines(text), file=sys.stderr)
