"""What runs is what a person has looked at; what changed since does not."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pointsman.config.trust import TrustStore
from pointsman.model.errors import ConfigError
from pointsman.model.hook import Role

from .repository import GUARD, Machine, rewrite_in_place


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


EXECUTABLE = """\
[[hooks]]
name = "house"
role = "guard"
events = ["PreToolUse"]
command = ["sh", "scripts/check.sh"]
"""


def test_nothing_runs_before_somebody_has_looked(machine: Machine) -> None:
    machine.hook()
    machine.settings(EXECUTABLE)
    hooks = machine.hooks()
    assert set(hooks) == {"repo:check", "repo:house"}
    assert all("pointsman trust" in hook.skip for hook in hooks.values())
    assert not any(hook.broken or hook.tampered or hook.sources for hook in hooks.values())


def test_what_was_looked_at_runs_from_the_bytes_that_were_looked_at(machine: Machine) -> None:
    path = machine.hook()
    helper = machine.hook("WORD = 1", "lib/_helper.py")
    machine.hook("data", "rules.txt")
    machine.trust()
    hook = machine.hooks()["repo:check"]
    assert not hook.skip
    assert set(hook.sources) == {str(path), str(helper)}
    assert machine.trusted().trusted


def _edit(machine: Machine) -> None:
    machine.hook(GUARD.replace('deny("no")', "None"))


def _edit_same_size(machine: Machine) -> None:
    path = machine.root / ".pointsman/hooks/check.py"
    rewrite_in_place(path, GUARD.replace('deny("no")', "None#####"[:10].ljust(10, "#")))


def _narrow(machine: Machine) -> None:
    machine.hook(GUARD.replace("PreToolUse", "SessionEnd"))


def _demote(machine: Machine) -> None:
    machine.hook(GUARD.replace("guard", "observer"))


def _break(machine: Machine) -> None:
    machine.hook("def (")


def _remove(machine: Machine) -> None:
    (machine.root / ".pointsman/hooks/check.py").unlink()


def _rename(machine: Machine) -> None:
    path = machine.root / ".pointsman/hooks/check.py"
    path.rename(path.with_name("_check.py"))


def _remove_all(machine: Machine) -> None:
    (machine.root / ".pointsman").rename(machine.root / "gone")


def _edit_helper(machine: Machine) -> None:
    machine.hook("WORD = 2", "lib/_helper.py")


def _edit_data(machine: Machine) -> None:
    machine.hook("other data", "rules.txt")


def _link(machine: Machine) -> None:
    path = machine.root / ".pointsman/hooks/check.py"
    path.unlink()
    path.symlink_to(machine.file("evil.py", GUARD + "# more"))


def _edit_script(machine: Machine) -> None:
    machine.file("scripts/check.sh", "exit 0")


def _remove_script(machine: Machine) -> None:
    (machine.root / "scripts/check.sh").unlink()


def _edit_declaration(machine: Machine) -> None:
    machine.settings(EXECUTABLE.replace("scripts/check.sh", "-c"))


def _narrow_declaration(machine: Machine) -> None:
    machine.settings(EXECUTABLE.replace("PreToolUse", "SessionEnd"))


def _remove_declaration(machine: Machine) -> None:
    machine.settings("")


CHANGES: list[Callable[[Machine], None]] = [
    _edit, _edit_same_size, _narrow, _demote, _break, _remove, _rename, _remove_all, _edit_helper,
    _edit_data, _link, _edit_script, _remove_script, _edit_declaration, _narrow_declaration,
    _remove_declaration,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_what_was_trusted_stops_what_was_guarded(
    machine: Machine, change: Callable[[Machine], None]
) -> None:
    machine.hook()
    machine.hook("WORD = 1", "lib/_helper.py")
    machine.hook("data", "rules.txt")
    machine.file("scripts/check.sh", "exit 2")
    machine.settings(EXECUTABLE)
    machine.trust()
    loader = machine.loader()
    assert not any(hook.skip for hook in loader.policy_for(str(machine.root)).hooks)
    change(machine)
    for policy in (loader.policy_for(str(machine.root)), machine.policy()):
        stops = {hook.name: hook for hook in policy.hooks if hook.tampered}
        assert set(stops) == {"repo:check", "repo:house"}
        assert {hook.events for hook in stops.values()} == {("PreToolUse",)}
        assert all(hook.skip for hook in policy.hooks)
    assert not machine.trusted().trusted
    assert machine.trusted().changed


def test_trusting_again_sets_it_right(machine: Machine) -> None:
    machine.hook()
    machine.trust()
    _edit(machine)
    machine.trust()
    assert not any(hook.skip for hook in machine.hooks().values())


def test_what_was_added_does_not_run_and_stops_nothing(machine: Machine) -> None:
    machine.hook()
    machine.trust()
    machine.hook(GUARD.replace("check", "more"), "more.py")
    machine.file("scripts/check.sh", "exit 2")
    machine.settings(EXECUTABLE)
    hooks = machine.hooks()
    assert set(hooks) == {"repo:check", "repo:more", "repo:house"}
    assert not hooks["repo:check"].skip
    assert "pointsman trust" in hooks["repo:more"].skip
    assert "pointsman trust" in hooks["repo:house"].skip
    assert not any(name.endswith("more.py") for name in hooks["repo:check"].sources)
    assert machine.trusted().added


def test_a_script_that_comes_later_was_not_looked_at(machine: Machine) -> None:
    machine.settings(EXECUTABLE)
    machine.trust()
    assert not machine.hooks()["repo:house"].skip
    machine.file("scripts/check.sh", "exit 0")
    assert "pointsman trust" in machine.hooks()["repo:house"].skip


@pytest.mark.parametrize(
    "command", ['["scripts/check.sh"]', '["./scripts/check.sh"]', '["python3", "scripts/check.sh"]',
                '["env", "X=1", "sh", "../repository/scripts/check.sh"]'],
)  # fmt: skip
def test_a_script_is_covered_however_it_is_named(machine: Machine, command: str) -> None:
    script = machine.file("scripts/check.sh", "exit 2")
    machine.settings(EXECUTABLE.replace('["sh", "scripts/check.sh"]', command))
    machine.trust()
    assert str(script) in machine.hooks()["repo:house"].sources
    script.write_text("exit 0")
    assert machine.hooks()["stop repo:house"].tampered


def test_a_script_outside_of_the_repository_is_covered_too(machine: Machine) -> None:
    script = machine.path / "check.sh"
    script.write_text("exit 2")
    machine.settings(EXECUTABLE.replace("scripts/check.sh", str(script)))
    machine.trust()
    script.write_text("exit 0")
    assert machine.hooks()["stop repo:house"].tampered


def test_byte_code_beside_a_hook_is_no_part_of_it(machine: Machine) -> None:
    machine.hook()
    machine.trust()
    machine.hook("evil", "__pycache__/check.cpython-311.pyc")
    assert machine.trusted().trusted


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_cannot_be_hashed_cannot_be_trusted(
    machine: Machine, make: Callable[[Path], None]
) -> None:
    machine.hook()
    make(machine.root / ".pointsman/hooks/odd")
    with pytest.raises(ConfigError, match="cannot be trusted"):
        machine.trust()


def test_a_link_to_a_folder_brings_nothing_in(machine: Machine) -> None:
    machine.hook()
    machine.file("elsewhere/_evil.py", "evil")
    (machine.root / ".pointsman/hooks/lib").symlink_to(machine.root / "elsewhere")
    machine.trust()
    assert len(machine.hooks()["repo:check"].sources) == 1


def test_a_store_that_cannot_be_read_stops_the_guards(machine: Machine) -> None:
    machine.hook()
    machine.trust()
    machine.places.trust.write_text("{")
    policy = machine.policy()
    (hook,) = policy.hooks
    assert "cannot be read" in hook.broken
    assert any("trust" in problem.message for problem in policy.problems)
    machine.trust()
    assert not machine.hooks()["repo:check"].broken
    kept = [path.name for path in machine.places.state.iterdir() if "corrupt" in path.name]
    assert len(kept) == 1


def test_a_broken_file_that_nobody_looked_at_stops_nothing(machine: Machine) -> None:
    machine.hook("from pointsman import guard\n@guard('Stop')\ndef f(")
    (hook,) = machine.policy().hooks
    assert "pointsman trust" in hook.skip
    assert not hook.broken
    machine.trust()
    (hook,) = machine.policy().hooks
    assert hook.broken
    assert not hook.skip


def test_trust_is_of_a_place(machine: Machine, tmp_path: Path) -> None:
    machine.hook()
    machine.trust()
    other = Machine(tmp_path / "other")
    other.hook()
    hooks = machine.loader().policy_for(str(other.root)).hooks
    assert [bool(hook.skip) for hook in hooks] == [True]


def test_taking_trust_back(machine: Machine) -> None:
    machine.hook()
    machine.trust()
    store = TrustStore(machine.places.trust)
    assert store.forget(machine.root)
    assert not store.forget(machine.root)
    assert machine.hooks()["repo:check"].skip


def test_two_that_trust_at_the_same_time_lose_nothing(machine: Machine, tmp_path: Path) -> None:

    stores = [TrustStore(machine.places.trust) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[1].trust(tmp_path / str(pair[0]), []), enumerate(stores)))
    assert len(json.loads(machine.places.trust.read_text())) == 8


def test_roles_are_kept_in_the_record(machine: Machine) -> None:
    machine.hook(GUARD.replace("guard", "enricher").replace('deny("no")', "None"))
    machine.trust()
    machine.hook("# nothing")
    assert not [hook for hook in machine.policy().hooks if hook.role is Role.GUARD]
