"""The pages name everything that there is: commands, options, exit codes, events, fields, keys."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pointsman.case import as_row
from pointsman.cli import edge
from pointsman.cli.main import COMMANDS, cli
from pointsman.cli.status import read_status
from pointsman.model.decision import deny
from pointsman.model.event import Event, Identity
from pointsman.model.events import DERIVED_EVENTS, HOST_EVENTS
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.places import Places
from scene import Scene, delivery, hook

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS_PAGE = (ROOT / "docs/commands.md").read_text()
EVENTS_PAGE = (ROOT / "docs/events.md").read_text()
KINDS = {**HOST_EVENTS, **DERIVED_EVENTS}
COMMON = {entry.name for entry in dataclasses.fields(Event)}


def section(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next of its level or above."""
    level = heading.partition(" ")[0]
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[1]


def commands() -> Iterator[tuple[str, str, click.Command]]:
    """Yield each command with its heading."""
    with cli.make_context("pointsman", [], resilient_parsing=True) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            yield name, f"## pointsman {name}", command
            for sub, inner in getattr(command, "commands", {}).items():
                yield f"{name} {sub}", f"### pointsman {name} {sub}", inner


ALL_COMMANDS = list(commands())


@pytest.mark.parametrize(
    ("heading", "command"),
    [each[1:] for each in ALL_COMMANDS],
    ids=[each[0] for each in ALL_COMMANDS],
)
def test_every_command_has_its_heading_usage_and_options(
    heading: str, command: click.Command
) -> None:
    text = section(COMMANDS_PAGE, heading)
    name = heading.lstrip("# ")
    context = click.Context(command, info_name=name)
    assert f"`{' '.join([name, *command.collect_usage_pieces(context)])}`" in text
    options = [each for each in command.params if isinstance(each, click.Option)]
    for option in options:
        names = ", ".join(f"`{word}`" for word in option.opts)
        row = next(line for line in text.splitlines() if line.startswith(f"| {names} |"))
        assert option.help
        assert option.help in row
        for choice in getattr(option.type, "choices", ()):
            assert f"`{choice}`" in row
    rows = {line for line in text.splitlines() if line.startswith("| `-")}
    if not isinstance(command, click.Group):
        assert len(rows) == len(options)


def test_no_command_is_described_that_there_is_not() -> None:
    headings = re.findall(r"^#{2,3} pointsman .+$", COMMANDS_PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(each[1] for each in ALL_COMMANDS)


def test_every_exit_code() -> None:
    text = section(COMMANDS_PAGE, "## Exit codes")
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert codes == {value for name, value in vars(edge).items() if name.isupper()}


def test_every_key_of_status(tmp_path: Path) -> None:
    text = section(COMMANDS_PAGE, "## pointsman status")
    for key in read_status(Places(tmp_path / "state", tmp_path / "config"), str(tmp_path)):
        assert f"`{key}`" in text, key


def test_every_key_of_decide() -> None:
    text = section(COMMANDS_PAGE, "## pointsman decide")
    for key in as_row(Scene(hook("g", deny("no"))).handle(delivery())[0]):
        assert f"`{key}`" in text, key


@pytest.mark.parametrize("name", KINDS)
def test_every_event_has_its_heading_and_fields(name: str) -> None:
    text = section(EVENTS_PAGE, f"### {name}")
    own = [entry.name for entry in dataclasses.fields(KINDS[name]) if entry.name not in COMMON]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == own
    assert ("**Guarded**" in text) == (name in GUARD_EVENTS)


def test_no_event_is_described_that_there_is_not() -> None:
    assert re.findall(r"^### (\w+)$", EVENTS_PAGE, re.MULTILINE) == list(KINDS)


def test_what_every_event_has() -> None:
    text = section(EVENTS_PAGE, "## In every event")
    names = [entry.name for entry in dataclasses.fields(Identity)]
    names += [
        name for name in (entry.name for entry in dataclasses.fields(Event)) if name != "identity"
    ]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_command_can_be_typed(page: Path) -> None:
    known = {name.split()[0] for name, _, _ in ALL_COMMANDS}
    blocks = re.findall(r"^```\w*\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    for word in re.findall(r"^(?:\$ )?pointsman ([a-z]+)", "".join(blocks), re.MULTILINE):
        assert word in known, word


def test_payloads_in_the_pages_are_json() -> None:
    (shown,) = re.findall(r"echo '(\{.*?\})' \| pointsman decide", COMMANDS_PAGE)
    assert json.loads(shown)["hook_event_name"] == "PreToolUse"
