"""Ways to write ``tests/t.py`` where only ``src/`` is allowed, through hook, exec and daemon.

Each goes the whole way: the installed hook client, then, where it lets the call pass, the real
``pointsman-exec`` with the host's own text around the command, then the hook for what has run.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .live import COMMAND, Live, live
from .more_ways import MORE_WAYS

EXEC = COMMAND.with_name("pointsman-exec")
BUILDER = """---
name: builder
description: writes the program
outputs:
  allowed_modifications: ["src/**"]
---
You write the program.
"""
WAYS = {
    "redirect": "echo x > tests/t.py",
    "append": "echo x >> tests/t.py",
    "here-document": "cat > tests/t.py <<E\nx\nE",
    "tee": "echo x | tee tests/t.py",
    "sed -i": "sed -i s/1/2/ tests/t.py",
    "perl -i": "perl -pi -e s/1/2/ tests/t.py",
    "dd": "echo x | dd of=tests/t.py",
    "cp": "cp src/a.py tests/t.py",
    "mv": "mv src/a.py tests/t.py",
    "install": "install src/a.py tests/t.py",
    "rm": "rm -f tests/t.py",
    "rename of the directory": "mv tests src/tests && echo x > src/tests/t.py",
    "link and write": "ln -s ../tests/t.py src/l && echo x > src/l",
    "link to the directory": "ln -s ../tests src/d; echo x > src/d/t.py",
    "hard link": "ln tests/t.py src/h && echo x > src/h",
    "link in its place": "ln -sf ../src/a.py tests/t.py",
    "chmod": "chmod 777 tests/t.py",
    "truncate": "truncate -s 0 tests/t.py",
    "python": "python3 -c \"open('tests/t.py', 'w').write('x')\"",
    "python, in parts": "python3 -c \"import os; open('te' 'sts' + os.sep + 't.py', 'a')\"",
    "python, from its input": "echo \"open('tests/t.py','w')\" | python3",
    "perl": "perl -e 'open F, \">tests/t.py\"; print F 1'",
    "awk": "awk 'BEGIN { print 1 > \"tests/t.py\" }'",
    "ed": "printf '1d\\nw\\nq\\n' | ed -s tests/t.py",
    "a script that is there": "sh src/there.sh",
    "a script written and run": "echo 'echo x > tests/t.py' > src/s.sh; sh src/s.sh",
    "a script with a shebang": "echo '#!/bin/sh\n>tests/t.py' >src/x; chmod +x src/x; src/x",
    "eval": "A='echo x > tests'; eval \"$A/t.py\"",
    "base64": "echo ZWNobyB4ID4gdGVzdHMvdC5weQ== | base64 -d | sh",
    "a function": 'w() { echo x > "$1"; }; w tests/t.py',
    "cd": "cd tests && echo x > t.py",
    "cd from where it is allowed": "cd src && cd ../tests && echo x > t.py",
    "through a link and back": "ln -s ../tests src/deep; echo x > src/deep/../tests/t.py",
    "xargs": "echo tests/t.py | xargs -I{} cp src/a.py {}",
    "find -exec": "find . -name t.py -exec sh -c 'echo x > \"$1\"' _ {} \\;",
    "a loop": 'for f in tests/*; do echo x > "$f"; done',
    "a brace": "echo x > {tests,src}/t.py",
    "process substitution": "echo x > >(cat > tests/t.py)",
    "a descriptor": "exec 7> tests/t.py; echo x >&7",
    "in the background": "(sleep 0.2; echo x > tests/t.py) & wait",
    "git checkout": "git checkout -q first -- tests/t.py",
    "git restore": "git restore --source first tests/t.py",
    "git reset": "git reset -q --hard first",
    "git apply": "git apply src/change.patch",
    "git stash": "echo y > src/a.py; git stash -q; git stash pop -q; git checkout -q first",
    "patch": "patch -p1 < src/change.patch",
    "tar": "tar -C / -xf src/t.tar",
    "make": "printf 'all:\\n\\techo x > tests/t.py\\n' | make -f -",
    "env and sh": "env -i /bin/sh -c 'nice timeout 5 sh -c \"echo x > tests/t.py\"'",
    "another namespace": "unshare -rm sh -c 'mount -o remount,rw / ; echo x > tests/t.py'",
    "the root of process 1": "echo x > /proc/1/root$PWD/tests/t.py",
}
FINE = {
    "a file": "echo y > src/new.py && cat src/new.py",
    "reading": "cat tests/t.py && grep -rn assert tests",
    "a directory": "mkdir -p src/more/yet && touch src/more/yet/x.py && rm -r src/more",
    "a commit": "git add -A src && git commit -qm work && git log --oneline | head -1",
    "tests": "python3 tests/t.py",
}


_KEPT = ("hooks", "config", "config.worktree", "commondir", "info")


class World:
    """A repository with a scoped agent, and everything between it and its host."""

    def __init__(self, rig: Live) -> None:
        self.rig = rig
        self.root = rig.folder / "repository"
        self.calls = 0
        for folder in ("src", "tests", ".claude/agents"):
            (self.root / folder).mkdir(parents=True)
        (self.root / ".claude/agents/builder.md").write_text(BUILDER)
        self.test.write_text("assert 0 == 0\n")
        self.git("init", "-q", ".")
        self.git("add", "-A")
        self.git("commit", "-qm", "first")
        self.git("tag", "first")
        self.test.write_text("assert 1 == 1\n")
        (self.root / "src/a.py").write_text("print(1)\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "second")
        self.sources()
        self.event("SessionStart", source="startup")
        self.event("SubagentStart")

    @property
    def test(self) -> Path:
        return self.root / "tests/t.py"

    def sources(self) -> None:
        """Put what the ways begin with back into the agent's own directory."""
        shutil.rmtree(self.root / "src", ignore_errors=True)
        (self.root / "src").mkdir()
        self.git("checkout", "-q", "-f", "HEAD", "--", "src")
        (self.root / "src/there.sh").write_text("echo x > tests/t.py\n")
        (self.root / "src/change.patch").write_text(
            "--- a/tests/t.py\n+++ b/tests/t.py\n@@ -1 +1 @@\n-assert 1 == 1\n+assert 2 == 2\n"
        )
        name = str(self.test).lstrip("/")
        subprocess.run(
            ["tar", "-cf", self.root / "src/t.tar", "-C", "/", "--mtime=@0", "--mode=600", name],
            check=True,
        )

    def git(self, *words: str) -> None:
        env = {**self.rig.env, "GIT_CONFIG_GLOBAL": os.devnull}
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *words], cwd=self.root, env=env, check=True)

    def state(self) -> dict[str, tuple[str, int, str]]:
        """Return what must stay: all that lies outside ``src``, by kind and mode, links, content.

        Of git's store that is what runs programs; the rest is for commits.
        """
        found = {}
        for path in sorted(self.root.rglob("*")):
            top, *below = path.relative_to(self.root).parts
            if top == "src" or (top == ".git" and (not below or below[0] not in _KEPT)):
                continue
            at = path.lstat()
            content = path.read_bytes() if path.is_file() else str(path.is_symlink()).encode()
            links = 0 if path.is_dir() else at.st_nlink
            found[str(path)] = (oct(at.st_mode), links, hashlib.sha256(content).hexdigest())
        return found

    def event(self, name: str, **more: object) -> subprocess.CompletedProcess[bytes]:
        value = {
            "hook_event_name": name, "session_id": "live", "cwd": str(self.root),
            "agent_id": "b1", "agent_type": "builder", **more,
        }  # fmt: skip
        env = {"CLAUDE_PROJECT_DIR": str(self.root)}
        return self.rig.send(json.dumps(value).encode(), name, cwd=self.root, env=env)

    def tool(self, command: str) -> dict[str, object]:
        self.calls += 1
        given = {"tool_name": "Bash", "tool_input": {"command": command}}
        return {**given, "tool_use_id": f"t{self.calls}"}

    def run(self, command: str) -> subprocess.CompletedProcess[bytes]:
        """Start the command as the host does, with our program before its text."""
        word = "'" + command.replace("'", "'\"'\"'") + "'"
        kept = self.rig.folder / "cwd"
        text = f"source /nowhere 2>/dev/null || true && eval {word} < /dev/null && pwd -P >| {kept}"
        env = {
            **self.rig.env, "CLAUDE_CODE_SESSION_ID": "live", "CLAUDECODE": "1",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
            "TMPDIR": str(self.rig.folder), "SHELL": "/bin/bash",
        }  # fmt: skip
        return subprocess.run(
            [EXEC, text], cwd=self.root, env=env, capture_output=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not EXEC.exists():
        pytest.skip("pointsman-exec was not built: there was no compiler")
    with live(Path(os.path.realpath(tmp_path_factory.mktemp("ways")))) as rig:
        yield World(rig)


CALLS = {**{way: [command] for way, command in WAYS.items()}, **MORE_WAYS}


@pytest.mark.parametrize("way", CALLS)
def test_with_its_hooks(world: World, way: str) -> None:
    before = world.state()
    for command in CALLS[way]:
        tool = world.tool(command)
        decided = world.event("PreToolUse", **tool)
        assert decided.returncode in {0, 2}, decided.stderr
        if decided.returncode == 0:
            done = world.run(command)
            name = "PostToolUse" if done.returncode == 0 else "PostToolUseFailure"
            world.event(name, **tool, tool_response={}, error="x", duration_ms=1000)
        else:
            told = decided.stderr.decode()
            assert told.startswith(
                ("Pointsman stopped this: ", "Pointsman could not verify this: ")
            )
            assert told.rstrip().endswith("]")  # the rule
    assert world.state() == before
    world.sources()


@pytest.mark.parametrize("way", CALLS)
def test_with_its_hooks_gone(world: World, way: str) -> None:
    before = world.state()
    for command in CALLS[way]:
        world.run(command)
    assert world.state() == before
    world.sources()


@pytest.mark.parametrize("work", FINE)
def test_work_inside_goes_on_as_usual(world: World, work: str) -> None:
    tool = world.tool(FINE[work])
    decided = world.event("PreToolUse", **tool)
    assert decided.returncode == 0, decided.stderr
    done = world.run(FINE[work])
    assert done.returncode == 0, done.stderr
    ended = world.event("PostToolUse", **tool, tool_response={}, duration_ms=100)
    assert ended.returncode == 0, ended.stderr
