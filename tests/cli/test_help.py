"""`--help`, of the group and of each command."""

from pathlib import Path

import click
import pytest

from s2mlp_dsl.cli import commands
from s2mlp_dsl.cli.app import COMMANDS, app
from tests.cli.running import s2mlp


def command_of(name: str) -> click.Command:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    return command


def test_every_module_is_a_command() -> None:
    files = {path.stem for path in Path(*commands.__path__).glob("[!_]*.py")}
    assert files == {name.replace("-", "_") for name in COMMANDS}


def test_the_group_lists_every_command() -> None:
    text = s2mlp("--help").stdout
    for name, summary in COMMANDS.items():
        assert f"  {name} " in text and summary.split()[0] in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help(name: str) -> None:
    command = command_of(name)
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help and parameter.help.endswith((".", ")", "]")), (
                f"{name} {parameter.opts}: {parameter.help}"
            )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_begins_with_a_verb(name: str) -> None:
    """The page of a command and the list of commands begin with the same word."""
    assert COMMANDS[name].endswith(".")
    assert (command_of(name).help or "").split()[0] == COMMANDS[name].split()[0]
