"""The command group, exit codes, and what stands between a user and a traceback.

Exit codes: 0 fine; 1 the spec is wrong or a proof failed; 2 wrong usage; 3 a
bug of ours; 4 the world is wrong (data, disk, NaN).
"""

import gc
import importlib
import os
import sys
from io import TextIOWrapper
from typing import Any, NoReturn

import click

# Name to what `--help` says. The module of a command is imported when it runs.
COMMANDS = {
    "audit": "Find out whether someone's PyTorch code is a shift.",
    "bench": "Measure latency, images/s and peak memory of a model here.",
    "check": "Prove shapes, parameters, MACs, receptive field and claims of a spec.",
    "compare": "The paper's table 1, for models and their spatial operators.",
    "compile": "Write a model as PyTorch source, IR, ONNX and more.",
    "diagram": "Draw a model.",
    "diff": "What differs in meaning between two models.",
    "eval": "Test accuracy of a trained run.",
    "explain": "What a diagnostic code means, with examples.",
    "fmt": "Bring specs into the one layout, keeping comments.",
    "export-run": "Write a run as a folder that stands alone.",
    "import-weights": "Bring weights that others trained under the names of a spec.",
    "ops": "The operators, and the fact sheet of one.",
    "predict": "Classify images with a trained run.",
    "report": "One page that explains a model.",
    "show": "A model as it is declared, or expanded with where values came from.",
    "study": "Run a study: train its rows with its seeds, and compare.",
    "train": "Train a model by a recipe.",
    "verify": "Prove that the compiled model is what the spec says.",
}


class LazyGroup(click.Group):
    """Imports a command only when it is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        file = name.replace("-", "_")
        module = importlib.import_module(f"s2mlp_dsl.cli.{file}_")
        # What was imported stays: nobody need look for garbage in it, nor as often
        # as by default in what a compiler makes, which mostly stays as well.
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
    """Vision MLPs of the spatial-shift family: one file, every artifact."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    gc.disable()  # until a command is imported, which makes much and drops nothing
    # Looking for plug-ins of pydantic reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show × gets a mark, not an exception.
            stream.reconfigure(errors="backslashreplace")
    try:
        result: Any = app.main(prog_name="s2mlp-dsl", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except BrokenPipeError:
        # The reader of our output has left; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        _say(f"error: {error}")
        code = 4
    except Exception as error:
        code = _raised(error)
    sys.exit(code)


def _raised(error: Exception) -> int:
    """The exit code of an exception, once it has been said what is wrong."""
    # Whoever raised one of ours has imported these; `--help` need not.
    from s2mlp_dsl.cli.output import print_diagnostics
    from s2mlp_dsl.diagnostics import AlreadyReported, SpecError
    from s2mlp_dsl.elaborate.spec import ChoiceError

    if isinstance(error, SpecError):
        print_diagnostics(error.diagnostics)
        return error.exit_code
    if isinstance(error, ChoiceError):
        _say(f"error: {error}")
        return 2
    code = getattr(error, "exit_code", None)
    if isinstance(code, int) and not isinstance(error, AlreadyReported):
        _say(f"error: {error}")
        return code
    if os.environ.get("S2MLP_DSL_TRACEBACK"):
        raise error
    _say(
        f"bug: {type(error).__name__}: {error}\n"
        "This is a mistake in s2mlp-dsl, not in your file. Please report it with the "
        "file and the command; S2MLP_DSL_TRACEBACK=1 shows where it happened."
    )
    return 3


def _say(text: str) -> None:
    print(text, file=sys.stderr)
