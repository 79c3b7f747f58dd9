"""Which tree a call is about."""

from pathlib import Path

from pointsman.model.proof import Call
from pointsman.proof.prover import Proof


def call(root: Path) -> Call:
    return Call(root=str(root), session="s", agent="main", agent_id="", id="t1", tool="Bash")


def test_a_root_is_the_directory_that_stands_there_now(tmp_path: Path) -> None:
    """Where a root really is, is remembered: until another directory has its name."""
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    proof = Proof(tmp_path / "state")
    proof.note(call(root))
    assert proof.unsettled(call(root))
    assert not proof.unsettled(call(other))
    root.rename(tmp_path / "moved")
    root.symlink_to(other)
    assert not proof.unsettled(call(root))
    proof.note(call(root))
    assert proof.unsettled(call(other))
    proof.close()
