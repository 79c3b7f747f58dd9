import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pointsman.proof.baselines import Baselines
from pointsman.proof.tree import FILE, LINK, Entry, Stamp

_STAMPS = st.builds(Stamp, *[st.integers(0, 2**63 - 1)] * 5)
_ENTRIES = st.builds(
    Entry, st.sampled_from([FILE, LINK]), st.integers(0, 0o7777),
    st.binary(max_size=8).map(lambda data: data.decode("utf-8", "surrogateescape")), _STAMPS,
    st.integers(0, 2**31), st.booleans(),
)  # fmt: skip
_PATHS = st.binary(min_size=1, max_size=12).map(lambda it: it.decode("utf-8", "surrogateescape"))


@given(entries=st.dictionaries(_PATHS, _ENTRIES, max_size=5))
def test_what_is_saved_is_loaded(entries: dict[str, Entry]) -> None:
    with tempfile.TemporaryDirectory() as made:
        store = Baselines(Path(made) / "trees.db")
        store.save("/r", entries)
        store.close()
        again = Baselines(Path(made) / "trees.db")
        assert again.load("/r") == entries
        again.close()


ONE = Entry(FILE, 0o644, "hash", Stamp(1, 2, 3, 4, 5), 0, True)


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    store = Baselines(tmp_path / "trees.db")
    assert store.load("/r") is None
    store.save("/r", {"a": ONE, "b": ONE})
    store.save("/r", {"a": None, "c": ONE._replace(content="other")})
    assert store.load("/r") == {"b": ONE, "c": ONE._replace(content="other")}
    assert set(store.contents()) == {"hash", "other"}
    store.save("/empty", {})
    assert store.load("/empty") == {}
    store.close()


def test_what_nobody_uses_is_forgotten(tmp_path: Path) -> None:
    store = Baselines(tmp_path / "trees.db")
    store.save("/r", {"a": ONE})
    assert store.forget(0) == []
    assert store.forget(2**62) == ["/r"]
    assert store.load("/r") is None
    store.close()


def test_calls_that_may_run_on(tmp_path: Path) -> None:
    store = Baselines(tmp_path / "trees.db")
    assert store.lasting("/r") == []
    store.keep_lasting("/r", [{"id": "c"}])
    assert store.lasting("/r") == [{"id": "c"}]
    store.close()
