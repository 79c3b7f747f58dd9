"""Builds and tests of real projects: held, they end as they do without us."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Project, made_project

PYTHON = {
    "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['tests']\npythonpath = ['src']\n",
    ".gitignore": "__pycache__/\n",
    "src/shop/__init__.py": "def total(prices):\n    return sum(prices)\n",
    "tests/test_shop.py": """
import multiprocessing, os, subprocess, sys, tempfile
from pathlib import Path
from shop import total

def test_total():
    assert total([1, 2]) == 3

def test_a_directory_of_its_own(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o600)
    assert (tmp_path / "f").read_text() == "x"

def test_a_temporary_file():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")

def test_a_child():
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout == b"1\\n"

def test_a_pool():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(abs, [-1, 2]) == [1, 2]

def test_a_server():
    import socket, threading
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: server.accept()[0].close())
    thread.start()
    socket.create_connection(server.getsockname()).close()
    thread.join()
    server.close()

def test_that_fails():
    assert total([]) == 1
""",
}
C = {
    "Makefile": "all: build/app\n\nbuild/app: src/main.c src/part.c src/part.h\n"
    "\tcc -O1 -Wall -o $@ src/main.c src/part.c\n\ntest: all\n\t./build/app 3\n\n"
    "broken:\n\tcc -c -o /dev/null src/broken.c\n.PHONY: all test broken\n",
    "build/.keep": "",
    "src/main.c": '#include <stdio.h>\n#include <stdlib.h>\n#include "part.h"\n'
    'int main(int n, char **a) { printf("%d\\n", twice(n > 1 ? atoi(a[1]) : 0)); return 0; }\n',
    "src/part.c": '#include "part.h"\nint twice(int n) { return 2 * n; }\n',
    "src/part.h": "int twice(int n);\n",
    "src/broken.c": "int f(void) { return x; }\n",
}
NODE = {
    "package.json": '{"name": "p", "version": "1.0.0", "scripts": {"test": "node --test tests/"}}',
    "src/sum.js": "module.exports = (a, b) => a + b;\n",
    "tests/sum.test.js": "const test = require('node:test'); const assert = require('assert');\n"
    "const fs = require('fs'); const os = require('os'); const path = require('path');\n"
    "const sum = require('../src/sum.js');\n"
    "test('sum', () => assert.strictEqual(sum(1, 2), 3));\n"
    "test('temp', () => fs.rmSync(fs.mkdtempSync(path.join(os.tmpdir(), 'x')), "
    "{recursive: true}));\n",
}


@pytest.fixture
def twice(
    tmp_path: Path, any_seam: object, monkeypatch: pytest.MonkeyPatch
) -> "tuple[Project, Project]":
    """Two equal repositories: in one every command is held, in the other none."""
    from pointsman.model.confinement import Seam

    assert isinstance(any_seam, Seam)
    return (
        made_project(tmp_path / "one", any_seam, monkeypatch),
        made_project(tmp_path / "two", any_seam, monkeypatch),
    )


def fill(projects: tuple[Project, Project], files: dict[str, str]) -> None:
    for project in projects:
        for name, text in files.items():
            path = project.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = project("git add -A && git commit -qm files", free=True)
        assert done.returncode == 0, done.stderr


def seen(done: "subprocess.CompletedProcess[str]", project: Project) -> tuple[object, ...]:
    """Return code and output without what differs from run to run."""

    def plain(text: str) -> str:
        text = text.replace(str(project.root.parent), "HERE")
        text = re.sub(r"\d+(\.\d+)? ?(ms|s)\b|duration_ms[ :]*[\d.]+|0x[0-9a-f]+", "N", text)
        return re.sub(r"\b[0-9a-f]{7,40}\b", "ID", text)

    return done.returncode, plain(done.stdout), plain(done.stderr)


def same(projects: tuple[Project, Project], text: str, code: int = 0) -> None:
    held, free = projects
    expected = seen(free(text, free=True), free)
    assert expected[0] == code, expected
    assert seen(held(text), held) == expected


def test_a_suite_in_python(twice: tuple[Project, Project]) -> None:
    fill(twice, PYTHON)
    # Equal from the start: held, the cache's directory is made before the command.
    same(twice, "python -m pytest -q -p no:randomly", 1)
    same(twice, "python -m pytest -q --lf", 1)
    same(twice, "sed -i 's/return sum(prices)/return sum(prices) or 1/' src/shop/__init__.py")
    same(twice, "python -m pytest -q")
    same(twice, "git status --short")
    same(twice, "git add src && git commit -qm 'Totals begin at one' && git log --format=%s -1")


def test_a_build_in_c(twice: tuple[Project, Project]) -> None:
    if shutil.which("make") is None or shutil.which("cc") is None:
        pytest.skip("there is no make or no compiler")
    for project in twice:
        project.allowed = ("src/**", "build/**")
    fill(twice, C)
    same(twice, "make test")
    same(twice, "make -s broken", 2)
    same(twice, "sed -i 's/2 \\* n/3 * n/' src/part.c && make test")
    same(twice, "make -j4 -B all")


def test_a_suite_in_node(twice: tuple[Project, Project]) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    fill(twice, NODE)
    held, free = twice
    for project in twice:
        (project.home / ".npm").mkdir()
    done, expected = held("npm test --silent"), free("npm test --silent", free=True)
    assert (done.returncode, expected.returncode) == (0, 0), done.stderr
    for line in ("# pass 2", "# fail 0"):
        assert (line in done.stdout) == (line in expected.stdout)


@pytest.mark.parametrize(
    "text",
    [
        ("git checkout -q -b topic && git commit -q --allow-empty -m a && git checkout -q - && "
        "git merge -q --no-edit topic && git log --oneline | wc -l"),
        "echo y >> src/a.py && git stash -q && git stash pop -q && git diff --stat",
        "git commit -q --allow-empty -m x && git rebase -q HEAD~1 && git reset -q --soft HEAD~1",
        "git gc -q && git fsck", "git tag -a v1 -m v1 && git describe",
        "git clone -q . $TMPDIR/clone && ls $TMPDIR/clone",
        "git switch -q -c feature/x && git branch -d feature/x || git switch -q -",
        "cd src && pwd -P >| $TMPDIR/host-cwd && cat $TMPDIR/host-cwd",
        "trap 'echo caught; exit 5' TERM; kill -TERM $$", "sleep 5 & kill %1; wait; echo $?",
        "set -m; sleep 0 & fg", "ulimit -n", "umask 077; touch src/u; stat -c %a src/u",
        "id; groups; whoami", "hostname; uname -s", "ls -ld /root /etc/passwd src tests",
        "cat /proc/self/comm; test -r /proc/meminfo", "readlink /proc/self/cwd",
        "stat -c '%U %a' tests/t.py /etc/passwd", "df . > /dev/null", "nproc",
        "touch src/o; chown $(id -u) src/o", "seq 100000 | tail -1",
        "head -c 3000000 /dev/zero | wc -c", "timeout 0.1 sleep 5",
        "python -c 'import sys; sys.exit(7)'", "(exit 9)", "exec false",
        "mkfifo $TMPDIR/p; (echo through > $TMPDIR/p &); cat $TMPDIR/p",
        "flock $TMPDIR/lock echo locked", "bash -ic 'echo interactive' 2> /dev/null",
    ],
)  # fmt: skip
def test_a_command_ends_as_without_us(twice: tuple[Project, Project], text: str) -> None:
    held, free = twice
    assert seen(held(text), held) == seen(free(text, free=True), free)


def test_a_worktree_can_be_committed_in(twice: tuple[Project, Project]) -> None:
    for project in twice:
        assert project("git worktree add -q ../tree", free=True).returncode == 0
        project.root = project.root.parent / "tree"
    same(twice, "echo y > src/new && git add -A src && git commit -qm y && git log --format=%s -1")
    held = twice[0]
    if held.seam.mechanism == "bubblewrap":
        for text in (
            "git config core.fsmonitor x", "echo x > ../repo/.git/hooks/post-commit",
            "echo /tmp > $(git rev-parse --git-dir)/commondir", "echo x > .git",
        ):  # fmt: skip
            assert held(text).returncode != 0, text


def test_a_process_that_is_left_running_goes_on(twice: tuple[Project, Project]) -> None:
    held = twice[0]
    done = held("(sleep 0.5; echo later > src/later) > /dev/null 2>&1 & echo $!")
    pid = int(done.stdout)
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":
            break
    assert (held.root / "src/later").read_text() == "later\n"
