"""Where a redirection leads: to its own command's directory, in a list, a pipe or a block of it."""

import os
import subprocess
from pathlib import Path

import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import Kind

from .test_against_bash import BASH

RUN = [
    ("echo > f", "f"),
    ("cd a && echo > f", "a/f"),
    ("cd a; echo > f", "a/f"),
    ("cd a && cd b && echo > f", "a/b/f"),
    ("cd a && cd b > f", "a/f"),
    ("cd a > f && echo > g", "f a/g"),
    ("cd a &&\necho > f", "a/f"),
    ("cd a && # why\n echo > f", "a/f"),
    ("cd a && > f", "a/f"),
    ("cd a && > f echo", "a/f"),
    ("cd a && > g echo > f", "a/f a/g"),
    ("cd a && echo > f 2>&1 >> g < h", "a/f a/g"),
    ("cd a && echo 2> f x > g", "a/f a/g"),
    ("cd a && echo &> f", "a/f"),
    ("cd a && echo > f && cd .. && echo > g", "a/f g"),
    ("cd a && echo > f && cd b && echo > g; echo > k", "a/f a/b/g a/b/k"),
    ("cd a && echo | cat > f", "a/f"),
    ("cd a && echo | cat > f | cat > g", "a/f a/g"),
    ("cd a && echo > f | cat > g", "a/f a/g"),
    ("cd a && echo > f | cat > g; echo > k", "a/f a/g a/k"),
    ("cd a && echo 2>&1 | cat && echo > f", "a/f"),
    ("cd a && echo 2>&1 | cat && cd b 2>&1 && echo 2>&1 | cat > f", "a/b/f"),
    ("cd a | echo > f", "f"),
    ("echo | cd a && echo > f", "f"),
    ("echo | cd a && cat < h | cat > f", "f"),
    ("echo 2>&1 | cd a; echo > f", "f"),
    ("! cd a > f", "f"),
    ("! echo > f", "f"),
    ("cd a && ! echo > f", "a/f"),
    ("time echo > f", "f"),
    ("cd a && cat > f <<E\nt\nE", "a/f"),
    ("cd a && cat <<E > f\nt\nE", "a/f"),
    ("cd a && cat <<E | cat > f\nt\nE", "a/f"),
    ("cd a && cat <<E && echo > f\nt\nE", "a/f"),
    ("cd a && cat <<E && cd b && echo > f\nt\nE\necho > g", "a/b/f a/b/g"),
    ("cat <<E | cd a && echo > f\nt\nE", "f"),
    ("cd a | cat <<E && cd a && echo > f\nE", "a/f"),
    ("cd a && cat > f <<< t", "a/f"),
    ("cd a && cat <<< t > f", "a/f"),
    ("cd a && echo > >(cat > f)\nsleep 0.2", "a/f"),
    ("(cd a; echo) > f", "f"),
    ("{ cd a && echo; } > f", "f"),
    ("{ cd a && echo; } > f; echo > g", "f a/g"),
    ("{ cd a && echo > g; } > f", "f a/g"),
    ("cd a && { cd b && echo; } > f", "a/f"),
    ("cd a && { cd b && echo > f; }; echo > g", "a/b/f a/b/g"),
    ("cd a && (cd b; echo > g) > f && echo > k", "a/b/g a/f a/k"),
    ("(cd a && echo > f); echo > g", "a/f g"),
    ("X=$(cd a && echo > f); echo > g", "a/f g"),
    ("cd a && if cd b; then echo; fi > f", "a/f"),
    ("cd a && for i in x; do cd b; echo; done > f", "a/f"),
    ("cd a && [ -f h ] > f", "a/f"),
    ("cd a && [[ -f h ]] > f", "a/f"),
    ("cd a && ((1)) > f", "a/f"),
    ("cd a && export X=g > f && echo > $X", "a/f a/g"),
    ("if cd a && echo > f; then echo > g; fi", "a/f a/g"),
    ("for i in 1; do cd a && echo > f; done; echo > g", "a/f a/g"),
    ("p() { cd a && echo > $1; }; p f && echo > g", "a/f a/g"),
    ("p() { echo && [ $1 ] && p > f$1; }; cd a && p 1 > g", "a/f1 a/g"),
    ("sh -c 'cd a && echo > f'; echo > g", "a/f g"),
    ("cd a && bash -c 'cd b && echo > g' > f", "a/f a/b/g"),
    ("cd a && bash <<E > f\ncd b && echo > g\nE", "a/f a/b/g"),
    ("eval 'cd a && echo > f' && echo > g", "a/f a/g"),
    ("cd a && eval 'cd b && echo > g' > f", "a/f a/b/g"),
    ("pushd a && echo > f; popd && echo > g", "a/f g"),
    ("pushd a > f && echo > g", "f a/g"),
    ("X=f && echo > $X", "f"),
    ("X=f && X=g : > $X", "f"),
    ("cd a && X=f && echo > $X", "a/f"),
    ("cd a && X=f; echo > $X", "a/f"),
    ("cd a && exec > f; cd ..; echo t; echo > g", "a/f g"),
    ("cd a && exec 5> f; cd ..; echo t >&5", "a/f"),
    ("cd a && echo > f & wait; echo > g", "a/f g"),
]  # fmt: skip
"""Lines, and every file that each of them makes or writes."""
MAYBE = [
    ("cd a || echo > f", "f"),
    ("cd n || echo > f", "f"),
    ("cd n || cd m || echo > f", "f"),
    ("cd n || cat <<E | cat > f\nE", "f"),
    ("cd n || cd a && echo > f", "n/f a/f"),
    ("cd a && cd n || echo > f", "a/f"),
    ("cd a && echo 2>&1 | cat > g && cd b && echo > f", "a/g a/f a/b/f"),
    ("cd a && cat <<E | cat > g && cd b\nt\nE\necho > f", "a/g a/f a/b/f"),
    ("cd a && case x in x) cd b;; esac > f && echo > g", "a/f a/g a/b/g"),
    ("cd a && exec > f && cd .. && echo t && echo > g", "a/f a/g g"),
    ("false || echo > f", "f"),
    ("false && cd a; echo > f", "f a/f"),
    ("ls && cd a && echo > f", "a/f f"),
    ("! cd a && echo > f", "f"),
    ("! cd a || echo > f", "a/f"),
    ("[ -d n ] && cd a > g || echo > f", "g f"),
    ("if ls; then X=f; else X=g; fi; cd a && echo > $X", "a/f a/g"),
    ("if ls; then X=f; else X=g; fi; cd a && echo | cat > $X", "a/f a/g"),
    ("echo 2>&1 | cat && cd a; echo > f", "f a/f"),
]
"""Lines of which not all is run, and every file that may be written."""


def said(line: str) -> set[str]:
    found = analyse(line, cwd="/r", home="/h")
    assert not found.unverified
    paths = {each.path for each in found.effects if each.kind is Kind.WRITE}
    kept = {os.path.normpath(path) for path in paths if not path.startswith("/dev/")}
    return {path.removeprefix("/r/") for path in kept}


def really_written(line: str, root: Path) -> set[str]:
    (root / "a/b").mkdir(parents=True)
    for name in ("h", "a/h"):
        (root / name).write_text("t\n")
    subprocess.run(
        [BASH, "-c", line], cwd=root, capture_output=True, check=False, timeout=20,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return found - {"h", "a/h"}


@pytest.mark.parametrize(("line", "written"), RUN)
def test_a_redirection_leads_where_its_own_command_runs(line: str, written: str) -> None:
    assert said(line) == set(written.split())


@pytest.mark.parametrize(("line", "written"), MAYBE)
def test_what_may_not_be_run_may_write_both(line: str, written: str) -> None:
    assert said(line) == set(written.split())


@pytest.mark.skipif(not BASH, reason="there is no bash here")
@pytest.mark.parametrize(("line", "written"), RUN)
def test_the_table_is_what_bash_does(line: str, written: str, tmp_path: Path) -> None:
    assert really_written(line, tmp_path) == set(written.split())


@pytest.mark.skipif(not BASH, reason="there is no bash here")
@pytest.mark.parametrize(("line", "written"), MAYBE)
def test_bash_writes_no_more_than_may_be(line: str, written: str, tmp_path: Path) -> None:
    assert really_written(line, tmp_path) <= set(written.split())


@pytest.mark.parametrize(
    "part", ["echo > f", "cd . && echo > f", "echo 2>&1 | cat", "cat < h", "echo > f | cat > g"]
)
def test_a_long_list_is_linear_and_not_too_deep(part: str) -> None:
    used = [analyse(" && ".join([part] * count), cwd="/r", home="/h") for count in (100, 200, 400)]
    assert not any(each.unverified for each in used)
    steps = [each.steps for each in used]
    assert steps[2] - steps[1] <= 2.1 * (steps[1] - steps[0])
