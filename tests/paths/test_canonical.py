import os
import posixpath
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.paths.canonical import Canonical, canonical, readings, real_path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return ``repo`` with files, links of every kind, and a place outside it."""
    root = Path(os.path.realpath(tmp_path))
    repo = root / "repo"
    (repo / "src/[id]").mkdir(parents=True)
    (root / "outside/deep").mkdir(parents=True)
    (repo / "src/a.ts").write_text("a")
    (root / "outside/secret").write_text("s")
    (repo / "src/file").symlink_to("a.ts")
    (repo / "src/out").symlink_to(root / "outside")
    (repo / "src/up").symlink_to("..")
    (repo / "src/chain1").symlink_to("chain2")
    (repo / "src/chain2").symlink_to("out/secret")
    (repo / "src/dangling").symlink_to("../../outside/new")
    (repo / "src/loop1").symlink_to("loop2")
    (repo / "src/loop2").symlink_to("loop1")
    os.link(root / "outside/secret", repo / "src/hard")
    (root / "alias").symlink_to(repo)
    return root


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("src/a.ts", "repo/src/a.ts"),
        ("./src//a.ts", "repo/src/a.ts"),
        ("src/../src/a.ts", "repo/src/a.ts"),
        ("src/a.ts/", "repo/src/a.ts"),
        ("src/new.ts", "repo/src/new.ts"),
        ("src/new/deep/x.ts", "repo/src/new/deep/x.ts"),
        ("src/file", "repo/src/a.ts"),
        ("src/out/secret", "outside/secret"),
        ("src/out/new/leaf", "outside/new/leaf"),
        ("src/out/../x", "x"),
        ("src/out/deep/..", "outside"),
        ("src/up/src/a.ts", "repo/src/a.ts"),
        ("src/chain1", "outside/secret"),
        ("src/dangling", "outside/new"),
        ("src/[id]/page.tsx", "repo/src/[id]/page.tsx"),
        ("src/{a,b}", "repo/src/{a,b}"),
        ("src/SRC", "repo/src/SRC"),
        ("src/e\u0301", "repo/src/e\u0301"),
        ("src/a b\n", "repo/src/a b\n"),
        ("~/x", "repo/~/x"),
        ("../outside/secret", "outside/secret"),
        ("../../../../../../../../../../../..", "/"),
        ("", None),
    ],
)
def test_a_path_leads_where_the_kernel_goes(tree: Path, path: str, leads: str | None) -> None:
    found = canonical(path, str(tree / "repo"))
    if leads is None:
        assert found.unresolved == "it is empty"
    else:
        assert (found.path, found.unresolved) == (str(tree / leads).rstrip("/") or "/", "")


def test_an_absolute_path_needs_no_working_directory(tree: Path) -> None:
    assert canonical(f"{tree}/alias/src/a.ts", "").path == f"{tree}/repo/src/a.ts"
    assert canonical("src/a.ts", f"{tree}/alias").path == f"{tree}/repo/src/a.ts"


@pytest.mark.parametrize(
    ("path", "cwd", "says"),
    [
        ("a\0b", "/tmp", "NUL"),
        ("a.ts", "", "relative"),
        ("a.ts", "tmp", "relative"),
        ("x/" * 3000, "/tmp", "bytes long"),
        ("a" * 300, "/", "looked up"),
        (
            "\udc00".encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass") + "\ud800",
            "/",
            "text",
        ),
    ],
)
def test_what_cannot_be_resolved_says_why(path: str, cwd: str, says: str) -> None:
    found = canonical(path, cwd)
    assert says in found.unresolved
    assert "\0" not in found.path


@pytest.mark.parametrize("path", ["src/loop1", "src/loop1/x"])
def test_a_circle_of_links_is_unresolved(tree: Path, path: str) -> None:
    assert canonical(path, f"{tree}/repo").unresolved


def test_a_hard_link_is_counted(tree: Path) -> None:
    found = canonical("src/hard", f"{tree}/repo")
    secret = (tree / "outside/secret").stat()
    assert (found.links, found.identity) == (2, (secret.st_dev, secret.st_ino))
    assert canonical("src/a.ts", f"{tree}/repo").links == 1
    assert canonical("src", f"{tree}/repo").links == 1


def test_every_reading_of_a_path_is_given(tree: Path, own_home: Path) -> None:
    repo = f"{tree}/repo"
    assert [each.path for each in readings("src/a.ts", repo)] == [f"{repo}/src/a.ts"]
    # The kernel goes through the link first, a host that cleans the text does not.
    assert {each.path for each in readings("src/out/../x", repo)} == {f"{tree}/x", f"{repo}/src/x"}
    assert f"{repo}/src/a.ts" in {each.path for each in readings("  src/a.ts\n", repo)}
    assert {each.path for each in readings("~/x", repo)} == {
        f"{repo}/~/x",
        os.path.realpath(own_home / "x"),
    }


_NAMES = st.sampled_from(["a", "b", "c", "[x]", "é", "d e"])
_PARTS = st.lists(st.one_of(_NAMES, st.sampled_from(["..", "."])), min_size=1, max_size=6)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    folders=st.lists(st.lists(_NAMES, min_size=1, max_size=3), max_size=4),
    links=st.lists(st.tuples(_PARTS, _PARTS, st.booleans()), max_size=5),
    path=_PARTS,
)
def test_it_agrees_with_the_kernel(
    tmp_path_factory: pytest.TempPathFactory,
    folders: list[list[str]],
    links: list[tuple[list[str], list[str], bool]],
    path: list[str],
) -> None:
    root = os.path.realpath(tmp_path_factory.mktemp("t"))
    base = f"{root}/base/base"
    Path(base).mkdir(parents=True)
    for folder in folders:
        Path(base, *folder).mkdir(parents=True, exist_ok=True)
    for where, target, absolute in links:
        text = "/".join(target)
        try:
            Path(base, *where).symlink_to(f"{base}/{text}" if absolute else text)
        except OSError:
            continue
    text = "/".join(path)
    found = canonical(text, base)
    try:
        opened = os.open(f"{base}/{text}", os.O_RDWR | os.O_CREAT, 0o600)
    except IsADirectoryError:
        opened = os.open(f"{base}/{text}", os.O_RDONLY)
    except OSError:
        # The kernel refuses: nothing is written, and we name a place or say that we cannot.
        assert found.path.startswith("/")
        return
    try:
        real = str(Path(f"/proc/self/fd/{opened}").readlink())
    finally:
        os.close(opened)
    assert (found.path, found.unresolved) == (real, "")


@pytest.mark.parametrize(
    "path", ["/dev/fd/3", "/dev/stdin", "/proc/self/fd/3", "//proc/thread-self//fd/0"]
)
def test_what_this_process_has_open_is_nobody_elses(path: str) -> None:
    assert canonical(path, "/") == Canonical(posixpath.normpath(path.replace("//", "/")))


def test_a_link_that_may_not_be_read_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `/proc/1/root` is to whoever may not trace that process."""

    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "readlink", refuse)
    assert real_path("/proc/self/root/a/../b") == "/proc/self/root/b"
    assert canonical("/proc/self/root/a", "/").unresolved
