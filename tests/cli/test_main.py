"""The table of commands: loaded when called, listed without being loaded, completed by shells."""

import subprocess
import sys

import click
import pytest

from pointsman.cli.main import COMMANDS, cli

from .conftest import Machine


def test_every_line_of_the_table_is_a_command() -> None:
    with cli.make_context("pointsman", [], resilient_parsing=True) as context:
        for name, text in COMMANDS.items():
            command = cli.get_command(context, name)
            assert command is not None, name
            assert command.help, name
            assert text.endswith("."), name


def test_help_lists_them_all_but_the_hidden_one(machine: Machine) -> None:
    ended = machine.run("--help")
    assert ended.code == 0
    shown = {line.split()[0] for line in ended.out.splitlines() if line.startswith("  ")}
    assert set(COMMANDS) - shown == {"daemon"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_every_option_explained(machine: Machine, name: str) -> None:
    ended = machine.run(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"Usage: pointsman {name}" in ended.out
    with cli.make_context("pointsman", [], resilient_parsing=True) as context:
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, (name, option.name)


def test_version(machine: Machine) -> None:
    from pointsman import __version__

    assert machine.run("--version").out == f"pointsman, version {__version__}\n"


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pointsman", "--version"], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"pointsman, version ")
