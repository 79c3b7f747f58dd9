"""A shell command is held to the same contract as an edit."""

import os
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import asking, bash, identity
from pointsman.hooks import scope
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import shell_writes
from pointsman.model.contract import Contract
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.runtime import derive_edit

_PLACES = Places(state=Path("/nowhere/state"), config=Path("/nowhere/config"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = Path(os.path.realpath(tmp_path)) / "repo"
    for folder in ("src/deep", "tests/unit", "build", ".git/hooks", "empty"):
        (repo / folder).mkdir(parents=True)
    for name in ("src/a.py", "src/deep/b.py", "tests/t.py", "tests/unit/u.py", "README.md"):
        (repo / name).write_text(f"# {name}\n")
    (repo / "src/link.py").symlink_to("../tests/t.py")
    (repo / "src/folder").symlink_to("../tests")
    (repo / "tests/link.py").symlink_to("../src/a.py")
    os.link(repo / "tests/t.py", repo / "src/hard.py")
    return repo


def judge(repo: Path, command: str, *, cwd: str = "", **declared: Any) -> Decision | None:
    values = declared or {"allowed": ("src/**",)}
    contract = Contract(agent="builder", source=f"{repo}/c.md", root=str(repo), **values)
    policy = Policy(repository=str(repo), contracts={"builder": (contract,)})
    event = bash(identity(repo, "builder", cwd or None), command)
    edit = derive_edit(event, policy)
    if edit is None:
        return None
    return asking(scope.hook(policy, Kit(places=_PLACES)))(edit)


OUTSIDE = [
    "echo x > tests/t.py",
    "echo x >> tests/t.py",
    "echo x >| tests/t.py",
    "echo x &> tests/t.py",
    ": > {repo}/tests/t.py",
    "echo x > src/../tests/t.py",
    "cat <<EOF > tests/t.py\nx\nEOF",
    "echo x | tee tests/t.py",
    "echo x | tee -a src/a.py tests/t.py",
    "echo x | sudo tee tests/t.py >/dev/null",
    "sed -i s/a/b/ tests/t.py",
    "sed -i.bak -e s/a/b/ src/a.py tests/t.py",
    "perl -pi -e s/a/b/ tests/t.py",
    "dd if=/dev/zero of=tests/t.py",
    "cp src/a.py tests/t.py",
    "cp src/a.py tests",
    "cp -t tests src/a.py",
    "mv src/a.py tests/t.py",
    "mv tests/t.py src/t.py",
    "mv tests/* src/",
    "rm tests/t.py",
    "rm -rf tests",
    "rm -rf .",
    "rm -r *",
    "ln -sf ../src/a.py tests/t.py",
    "ln src/a.py tests/new.py",
    "truncate -s 0 tests/t.py",
    "touch tests/new.py",
    "mkdir tests/new",
    "mkdir -p other/new",
    "rmdir empty",
    "chmod +x tests/t.py",
    "chmod -R a+x .",
    "install -m 644 src/a.py tests/t.py",
    "cd tests && echo x > t.py",
    "cd tests && echo x > src/a.py",
    "cd tests && cat <<E | tee /dev/null > src/a.py\nx\nE",
    "(cd tests; rm t.py)",
    "f() {{ echo x > tests/t.py; }}; f",
    "T=tests/t.py; echo x > $T",
    "echo x > ${{T:-tests/t.py}}",
    "echo x > {{src,tests}}/t.py",
    "echo x > t[e]sts/../tests/t.py",
    "bash -c 'echo x > tests/t.py'",
    "sh -c \"sh -c 'rm tests/t.py'\"",
    "env A=b nice -n 5 timeout 5 rm tests/t.py",
    "find tests -name '*.py' -delete",
    "find . -name t.py -exec rm {{}} +",
    "echo tests/t.py | xargs rm",
    "python3 -c \"open('tests/t.py', 'w').write('x')\"",
    "python3 - <<'E'\nimport pathlib\npathlib.Path('tests/t.py').write_text('x')\nE",
    "eval 'echo x > tests/t.py'",
    "echo x > src/link.py",
    "echo x > src/folder/t.py",
    "echo x > src/hard.py",
    "rm src/folder/t.py",
    "echo x > tests/$NAME",
    "rsync -a src/ tests/",
    "tar -xf a.tar -C tests",
    "unzip a.zip -d tests",
    "curl -s -o tests/t.py http://127.0.0.1/",
    "sort -o tests/t.py src/a.py",
    "patch tests/t.py < src/fix.diff",
    "git mv src/a.py tests/b.py",
    "git rm tests/t.py",
    "git checkout HEAD -- tests/t.py",
    "git restore tests/t.py",
    "git clean -fd tests",
    "echo x > .git/hooks/post-commit",
    "echo x > README.md",
    "echo x > /etc/pointsman-test",
    "echo x > ~/.bashrc",
]
INSIDE = [
    "echo x > src/a.py",
    "echo x > src/new.py && cat src/new.py",
    "mkdir -p src/new/deeper && touch src/new/deeper/x.py",
    "mkdir src/deep",
    "sed -i s/a/b/ src/a.py src/deep/b.py",
    "cp tests/t.py src/copy.py",
    "cp -r tests src/",
    "mv src/a.py src/b.py",
    "mv src/a.py src/deep/",
    "rm -rf src/deep",
    "rm src/link.py",
    "rm -rf src/folder",
    "rm src/*.py",
    "chmod +x src/a.py",
    "chmod -R a+x src/deep",
    "cd src; echo x > a.py",
    "cd src && echo x > a.py",
    "cd src && cat > a.py <<E\nx\nE",
    "cd src && echo x 2>&1 | cat > a.py",
    "cat tests/t.py",
    "grep -r x tests",
    "ls -la tests > /dev/null 2>&1",
    "pytest -q tests 2>&1 | tee /tmp/pointsman-test-log",
    "echo 'rm -rf tests' >> src/notes.md",
    "git commit -m 'rm tests/t.py > x'",
    "git status && git diff tests",
    "python3 -c 'print(open(\"tests/t.py\").read())'",
    "find tests -name '*.py' -print",
    "ln -s ../tests/t.py src/other.py",
    "tar -xf a.tar -C src",
    "diff <(sort tests/t.py) src/a.py",
    "echo x > $SOMEWHERE",
    "make",
]


@pytest.mark.parametrize("command", OUTSIDE)
def test_what_it_would_change_outside_is_denied(repo: Path, command: str) -> None:
    decision = judge(repo, command.format(repo=repo))
    assert decision is not None, command
    assert decision.action is Action.DENY
    assert decision.rule.startswith("scope.")
    assert "builder" in decision.reason
    assert "`" in decision.reason, "it names the construct that writes"


@pytest.mark.parametrize("command", INSIDE)
def test_what_stays_inside_passes(repo: Path, command: str) -> None:
    decision = judge(repo, command.format(repo=repo))
    assert decision is None, f"{command}: {decision}"


def test_a_read_only_agent_changes_nothing_by_the_shell(repo: Path) -> None:
    for command in ("echo x > src/a.py", "rm -rf src/deep", "mkdir src/new", "chmod +x src/a.py"):
        decision = judge(repo, command, read_only=True)
        assert decision is not None
        assert decision.rule == "scope.read-only"
    assert judge(repo, "cat src/a.py | wc -l", read_only=True) is None


def test_forbidden_wins_over_allowed(repo: Path) -> None:
    declared: dict[str, Any] = {"allowed": ("**",), "forbidden": ("tests/**",)}
    for command in ("echo x > tests/t.py", "rm -rf tests", "mv tests x", "echo > tests/$X"):
        decision = judge(repo, command, **declared)
        assert decision is not None, command
        assert decision.rule == "scope.forbidden"
    assert judge(repo, "echo x > src/a.py", **declared) is None


def test_a_directory_that_goes_is_judged_file_by_file(repo: Path) -> None:
    only_python: dict[str, Any] = {"allowed": ("src/**/*.py",)}
    assert judge(repo, "rm -rf src/deep", **only_python) is None
    (repo / "src/deep/notes.md").write_text("x")
    decision = judge(repo, "rm -rf src/deep", **only_python)
    assert decision is not None
    assert f"{repo}/src/deep/notes.md" in decision.reason


def test_a_broken_contract_denies_and_says_that_nothing_was_verified(repo: Path) -> None:
    decision = judge(repo, "echo x > src/a.py", problems=("c.md:1: it cannot be parsed",))
    assert decision is not None
    assert (decision.rule, decision.cause) == ("scope.contract-broken", Cause.UNVERIFIED)


def test_the_derived_edit_names_the_files(repo: Path) -> None:
    event = bash(identity(repo, "builder"), "echo x > src/a.py; rm tests/t.py; cat README.md")
    edit = derive_edit(event, Policy())
    assert edit is not None
    assert edit.files == (f"{repo}/src/a.py", f"{repo}/tests/t.py")
    assert derive_edit(bash(identity(repo, "builder"), "ls -la"), Policy()) is None


def test_a_repository_among_temporary_files_is_judged_all_the_same(tmp_path: Path) -> None:
    root = os.path.realpath(tmp_path)
    inside = shell_writes(f"echo x > {root}/a", root, "/home/x", root)
    assert [write.path for write in inside] == [f"{root}/a"]
    assert shell_writes("echo x > /tmp/a", "/srv/repo", "/home/x", "/srv/repo") == ()


@pytest.mark.parametrize(
    "command",
    [
        "f=$(mktemp); echo x > $f",
        'd=$(mktemp -d); cp src/a.py "$d/a"; rm -r "$d"',
        "echo x > /tmp/$$.log",
        "t=`mktemp /var/tmp/a.XXXX`; sort src/a.py > $t",
    ],
)
def test_a_temporary_name_that_is_made_up_is_passed_over(command: str) -> None:
    assert shell_writes(command, "/srv/repo", "/home/x", "/srv/repo") == ()
    # Where what is kept lies below, a name that is not known may lead to it.
    assert shell_writes("echo x > /tmp/$A", "/tmp/a/repo", "/home/x", "/tmp/a/repo")
    assert shell_writes("echo x > /srv/$A", "/srv/repo", "/home/x", "/srv/repo")


def test_of_a_linked_worktree_the_main_one_is_no_temporary_place(tmp_path: Path) -> None:
    main, linked = Path(os.path.realpath(tmp_path)) / "main", tmp_path / "linked"
    store = main / ".git/worktrees/linked"
    store.mkdir(parents=True)
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {store}\n")
    (store / "gitdir").write_text(f"{linked}/.git\n")
    found = shell_writes(f"echo x > {main}/a", str(linked), "/home/x", str(linked))
    assert [write.path for write in found] == [f"{main}/a"]
