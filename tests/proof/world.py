"""A repository with a contract, and calls of an agent that really run in it."""

import os
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pointsman.hooks.foretold import foretold
from pointsman.hooks.held import Held
from pointsman.model.contract import Contract
from pointsman.model.event import Identity
from pointsman.model.proof import Call, Finding, Judges, Outcome, Report
from pointsman.proof.changes import Change
from pointsman.proof.prover import Proof

State = dict[str, tuple[str, int, str]]
"""By path: kind, mode, content."""


def judge_of(root: Path, *allowed: str, forbidden: tuple[str, ...] = ()) -> Callable[[str], str]:
    contract = Contract(
        agent="builder", source="builder.md", root=str(root), allowed=allowed, forbidden=forbidden
    )
    held = Held(contract)
    return lambda path: held.outside(path, str(root))


def nobody(root: str, calls: Sequence[Call]) -> Callable[[Change], str]:
    """Stand in for the signs of another hand: there are none."""
    del root, calls
    return lambda _change: ""


class World:
    """A tree, a prover with its state beside it, and an agent that may write in ``src/``."""

    def __init__(self, base: Path, *, signs: str = "", git: bool = True) -> None:
        base = Path(os.path.realpath(base))
        self.root = base / "repo"
        self.state = base / "state"
        self.signs = signs
        for folder in ("src/deep", "tests/unit", "docs", "build", "empty"):
            (self.root / folder).mkdir(parents=True)
        for path, text in {
            "src/a.py": "a = 1\n", "tests/t.py": "assert 1\n", "tests/unit/u.py": "u\n",
            "docs/guide.md": "guide\n", "docs/notes.md": "notes\n", ".gitignore": "build/\n",
            "build/out.bin": "out\n", "tests/run.sh": "#!/bin/sh\nexit 0\n",
        }.items():  # fmt: skip
            (self.root / path).write_text(text)
        (self.root / "tests/run.sh").chmod(0o755)
        (self.root / "docs/link.md").symlink_to("guide.md")
        if git:
            self.git("init", "-q", "-b", "main")
            self.git("add", "-A")
            self.git("commit", "-q", "-m", "begin")
        self.judges: Judges = {"builder": judge_of(self.root, "src/**")}
        self.proof = self.prover()
        self._number = 0

    def prover(self) -> Proof:
        return Proof(self.state, signs=self._signs, running=lambda _session: False)

    def _signs(self, root: str, calls: Sequence[Call]) -> Callable[[Change], str]:
        return (lambda _change: self.signs) if self.signs else nobody(root, calls)

    def git(self, *words: str) -> None:
        given = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *given, *words], cwd=self.root, check=True, capture_output=True)

    def call(self, command: str, agent: str = "builder", **known: object) -> Call:
        self._number += 1
        who = Identity(host="h", cwd=str(self.root), repository=str(self.root))
        writes, lasting = foretold("Bash", {"command": command}, who)
        call = Call(
            root=str(self.root), session="s", agent=agent, agent_id=agent, id=f"t{self._number}",
            tool="Bash", text=command, foretold=writes, lasting=lasting,
        )  # fmt: skip
        return replace(call, **known)  # type: ignore[arg-type]

    def run(self, command: str, *, meanwhile: Callable[[], None] | None = None) -> Report:
        """Let the agent run a command between its two events."""
        call = self.call(command)
        before = self.proof.before(call, self.judges)
        assert (before.problem, before.findings) == ("", ())
        self.shell(command)
        if meanwhile is not None:
            meanwhile()
        return self.proof.after(call, self.judges)

    def run_silently(self, command: str) -> Report:
        """Let the agent run a command; return what either comparison has found."""
        call = self.call(command)
        before = self.proof.before(call, self.judges)
        self.shell(command)
        after = self.proof.after(call, self.judges)
        return replace(before, findings=(*before.findings, *after.findings))

    def shell(self, command: str) -> None:
        subprocess.run(
            ["bash", "-c", command], cwd=self.root, check=False, capture_output=True,
            env={**os.environ, "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@localhost",
                 "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@localhost"},
        )  # fmt: skip

    def look(self) -> State:
        """Return everything outside of git's store, read anew and without the code under test."""
        return {path: each for path, each in read(self.root).items() if not git_store(path)}


def git_store(path: str) -> bool:
    covered = (".git/hooks", ".git/config", ".git/info")
    return path == ".git" or (path.startswith(".git/") and not path.startswith(covered))


def read(root: Path) -> State:
    found: State = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(folder, name)
            at = path.lstat()
            mode = stat.S_IMODE(at.st_mode)
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = ("link", 0, str(path.readlink()))
            elif path.is_dir():
                found[key] = ("directory", mode, "")
            elif path.is_file():
                found[key] = ("file", mode, path.read_bytes().decode("latin-1"))
            else:
                found[key] = ("other", mode, str(stat.S_IFMT(at.st_mode)))
    return found


def outcomes(report: Report) -> dict[str, Outcome]:
    return {each.path: each.outcome for each in report.findings}


def finding(report: Report, path: str) -> Finding:
    return next(each for each in report.findings if each.path == path)
