"""Every way to write outside a contract that we know of: found, put back exactly, nothing lost."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pointsman.model.proof import Outcome
from proof.world import World, outcomes

ATTACKS = {
    "redirection": ("echo evil > tests/t.py", "tests/t.py"),
    "append": ("echo evil >> tests/t.py", "tests/t.py"),
    "clobber": ("set -C; echo evil >| tests/t.py", "tests/t.py"),
    "truncate": (": > tests/t.py", "tests/t.py"),
    "tee": ("echo evil | tee tests/t.py", "tests/t.py"),
    "sed in place": ("sed -i s/1/2/ tests/t.py", "tests/t.py"),
    "perl in place": ("perl -pi -e s/1/2/ tests/t.py", "tests/t.py"),
    "copy": ("cp src/a.py tests/t.py", "tests/t.py"),
    "move over": ("echo evil > src/b.py; mv src/b.py tests/t.py", "tests/t.py"),
    "move away": ("mv tests/t.py src/t.py", "tests/t.py"),
    "delete": ("rm tests/t.py", "tests/t.py"),
    "delete a tree": ("rm -rf tests", "tests/unit/u.py"),
    "symbolic link in its place": ("ln -sf ../src/a.py tests/t.py", "tests/t.py"),
    "hard link in its place": ("ln -f src/a.py tests/t.py", "tests/t.py"),
    "through a symbolic link": ("ln -s ../tests src/l; echo evil > src/l/t.py", "tests/t.py"),
    "through a hard link": ("ln tests/t.py src/h.py; echo evil > src/h.py", "tests/t.py"),
    "executable bit": ("chmod +x tests/t.py", "tests/t.py"),
    "executable bit off": ("chmod -x tests/run.sh", "tests/run.sh"),
    "mode of a directory": ("chmod 700 tests", "tests"),
    "setuid": ("chmod u+s tests/run.sh", "tests/run.sh"),
    "no mode at all": ("echo evil > tests/t.py; chmod 000 tests/t.py", "tests/t.py"),
    "closed directory": ("echo evil > tests/t.py; chmod 000 tests", "tests/t.py"),
    "git checkout": (
        "git rm -qrf tests; git commit -qm gone; git checkout -q HEAD~1 -- docs", "tests/t.py"),
    "commit of it": ("echo evil > tests/t.py; git add -A; git commit -qm evil", "tests/t.py"),
    "assume-unchanged": (
        "git update-index --assume-unchanged tests/t.py; echo evil > tests/t.py", "tests/t.py"),
    "skip-worktree": (
        "git update-index --skip-worktree tests/t.py; echo evil > tests/t.py", "tests/t.py"),
    "ignored directory": ("echo evil > build/out.bin", "build/out.bin"),
    "excluded by info": (
        "echo docs >> .git/info/exclude; echo evil > docs/guide.md", "docs/guide.md"),
    "git hook": ("printf '#!/bin/sh\n' > .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    "git config": ("git config core.hooksPath src", ".git/config"),
    "time hidden": (
        ("touch -r tests/t.py /tmp/$$.r; printf 'assert 2\n' > tests/t.py; "
        "touch -r /tmp/$$.r tests/t.py; rm /tmp/$$.r"), "tests/t.py"),
    "directory renamed": ("mv tests tests2", "tests/unit/u.py"),
    "symbolic link of a directory": ("mv tests src/t; ln -s src/t tests", "tests"),
    "file made a directory": ("rm tests/t.py; mkdir tests/t.py; : > tests/t.py/x", "tests/t.py"),
    "directory made a file": ("rm -r tests/unit; echo evil > tests/unit", "tests/unit"),
    "link led elsewhere": ("ln -sfn notes.md docs/link.md", "docs/link.md"),
    "link made a file": ("rm docs/link.md; echo evil > docs/link.md", "docs/link.md"),
    "new file": ("echo evil > conftest.py", "conftest.py"),
    "new dotfile": ("echo evil > tests/.env", "tests/.env"),
    "empty directory": ("mkdir docs/new", "docs/new"),
    "directory gone": ("rmdir empty", "empty"),
    "pipe left": ("mkfifo tests/p", "tests/p"),
    "nested repository": ("git init -q docs/inner; echo x > docs/inner/f", "docs/inner/f"),
    "python": ("python3 -c \"open('tests/t.py','w').write('evil')\"", "tests/t.py"),
    "python, name worked out": (
        "python3 -c \"open('te'+'sts/t.p'+'y','w').write('evil')\"", "tests/t.py"),
    "script, then run": (
        "printf 'echo evil > tests/t.py' > src/x.sh; sh src/x.sh", "tests/t.py"),
    "eval": ("eval 'echo evil > te''sts/t.py'", "tests/t.py"),
    "base64": ("echo ZWNobyBldmlsID4gdGVzdHMvdC5weQ== | base64 -d | sh", "tests/t.py"),
    "xargs": ("echo tests/t.py | xargs rm", "tests/t.py"),
    "find": ("find tests -name t.py -delete", "tests/t.py"),
    "cd": ("cd src && cd ../tests && echo evil > t.py", "tests/t.py"),
    "patch": (
        ("printf -- '--- a/tests/t.py\n+++ b/tests/t.py\n@@ -1 +1 @@\n-assert 1\n+evil\n' "
        "| git apply"), "tests/t.py"),
    "dd": ("printf evil | dd of=tests/t.py", "tests/t.py"),
    "tar": (("tar cf src/x.tar tests/t.py; rm tests/t.py; tar xf src/x.tar; "
            "echo evil >> tests/t.py"), "tests/t.py"),
    "awk": ("awk 'BEGIN { print \"evil\" > \"tests/t.py\" }'", "tests/t.py"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "path"), ATTACKS.values(), ids=ATTACKS)
def test_what_is_written_outside_is_found_and_put_back(
    tmp_path: Path, command: str, path: str
) -> None:
    world = World(tmp_path)
    before = world.look()
    report = world.run(command)
    after = world.look()
    inside = {name for name in (*before, *after) if name == "src" or name.startswith("src/")}
    for name in {*before, *after} - inside:
        assert after.get(name) == before.get(name), name
    assert outcomes(report).get(path) is Outcome.RESTORED, report
    assert Outcome.UNRESTORED not in outcomes(report).values()
    assert Outcome.UNTOLD not in outcomes(report).values()
    # And it is over: what was put back is not found again.
    assert world.run("true").findings == ()


def test_the_agents_version_is_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    report = world.run("echo evil > tests/t.py; chmod 600 tests/t.py; echo more > docs/new.md")
    kept = {each.path: Path(each.kept) for each in report.findings}
    assert kept["tests/t.py"].read_text() == "evil\n"
    assert kept["docs/new.md"].read_text() == "more\n"
    assert all(path.is_relative_to(world.state) for path in kept.values())


def test_a_socket_that_is_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    monkeypatch.chdir(world.root)

    def leave() -> None:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("docs/s")

    report = world.run("python3 src/a.py", meanwhile=leave)
    assert outcomes(report) == {"docs/s": Outcome.RESTORED}
    assert not (world.root / "docs/s").exists()


IN_STEPS = {
    "a link that is taken away": (
        "ln -s ../tests src/l",
        "echo evil > src/l/t.py; rm src/l",
    ),
    "a second name that is taken away": (
        "ln tests/t.py src/h",
        "echo evil > src/h; rm src/h",
    ),
    "a link by another name": (
        "ln -s ../tests src/l",
        "mv src/l src/m; echo evil > src/m/t.py; mv src/m src/l",
    ),
    "links made and taken away": (
        "true",
        (
            "ln -s ../tests src/l; echo evil > src/l/t.py; rm src/l; ln tests/run.sh src/h; "
            "echo evil > src/h; rm src/h"
        ),
    ),
    "a tree copied over links": (
        "mkdir -p src/d src/from/d; ln -s ../../tests/t.py src/d/t.py; echo evil > src/from/d/t.py",
        "cp -r src/from/d src/",
    ),
    "a pattern that is a link": (
        "mkdir src/d; ln -s ../../tests/t.py src/d/t.py",
        "chmod 777 src/d/*; echo evil | tee src/d/*",
    ),
    "a copy with its directories": ("true", "cp --parents src/a.py docs"),
    "a backup": ("true", "cp -b -S .evil src/a.py tests/t.py"),
}


@pytest.mark.parametrize("commands", IN_STEPS.values(), ids=IN_STEPS)
def test_names_that_lead_elsewhere_for_a_moment(tmp_path: Path, commands: tuple[str, ...]) -> None:
    world = World(tmp_path)
    before = world.look()
    found: set[Outcome] = set()
    for command in commands:
        found |= set(outcomes(world.run(command)).values())
    after = world.look()
    for name in {*before, *after}:
        if name != "src" and not name.startswith("src/"):
            assert after.get(name) == before.get(name), name
    assert found == {Outcome.RESTORED}


ALLOWED = {
    "in scope": "echo x > src/a.py; mkdir -p src/new/deep; mv src/a.py src/new/deep/b.py",
    "its directory": "rm -rf src; mkdir src; echo x > src/c.py",
    "a commit": "echo x > src/a.py; git add -A; git commit -qm work; git tag v1",
    "reading": "cat tests/t.py; grep -r assert . ; git status; git log; git diff",
    "times only": "touch tests/t.py docs",
    "caches of tools": "mkdir -p tests/.pytest_cache .mypy_cache; echo x > .mypy_cache/d",
}


@pytest.mark.parametrize("command", ALLOWED.values(), ids=ALLOWED)
def test_what_may_be_done_is_left_alone(tmp_path: Path, command: str) -> None:
    world = World(tmp_path)
    call = world.call(command)
    world.proof.before(call, world.judges)
    world.shell(command)
    after = world.look()
    report = world.proof.after(call, world.judges)
    assert (report.findings, report.problem) == ((), "")
    assert world.look() == after


def test_compiled_code_goes_without_a_word(tmp_path: Path) -> None:
    world = World(tmp_path)
    report = world.run("mkdir tests/__pycache__; echo evil > tests/__pycache__/t.pyc")
    assert set(outcomes(report).values()) == {Outcome.QUIET}
    assert not (world.root / "tests/__pycache__").exists()


_AS_NOBODY = """
import os, sys, subprocess, sqlite3, hashlib, shutil
from pathlib import Path
from proof.world import World, outcomes
import pointsman.shell.analyse
from pointsman.shell.analyse import analyse
analyse("echo x > y; python3 -c 'open(1)'", cwd="/", home="/")
os.chdir("/")
os.setgid(65534)
os.setuid(65534)
world = World(Path(sys.argv[1]), git=False)
for command in sys.argv[2:]:
    before = world.look()
    report = world.run(command)
    assert world.look() == before, command
    assert {each.value for each in outcomes(report).values()} == {"put back"}, report
print("all of them")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_modes_that_keep_their_owner_out() -> None:
    commands = (
        "echo evil > tests/t.py; chmod 000 tests/t.py",
        "echo evil > tests/t.py; chmod 000 tests",
        "chmod 000 docs/guide.md",
        "rm -r tests/unit; chmod 555 tests",
        "rm -r tests/unit; chmod 100 tests",
        "chmod 000 src",
    )
    # Not below the directories of the tests, which are root's alone.
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o777)
        environment = {**os.environ, "HOME": made, "PYTHONPATH": str(Path(__file__).parents[1])}
        ended = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, made, *commands], capture_output=True, text=True,
            check=False, env=environment,
        )  # fmt: skip
    assert ended.stdout == "all of them\n", ended.stderr
