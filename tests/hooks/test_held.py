import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.hooks.held import Held
from pointsman.model.contract import Contract
from pointsman.paths.canonical import Canonical


def held(*allowed: str, **more: object) -> Held:
    given = {"allowed": allowed} if allowed else {}
    return Held(Contract(agent="builder", source="b.md", root="/r", **given, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("contract", "path", "outside"),
    [
        (held("src/**"), "src/a/b.py", ""),
        (held("src/**"), "srcs/a.py", "allowed are only: src/**"),
        (held("src/**"), "src", "allowed are only: src/**"),
        # A directory comes and goes with what may lie in it.
        (held("src/**"), "src/", ""),
        (held("src/api/*.py"), "src/", ""),
        (held("src/api/*.py"), "src/api/", ""),
        (held("src/api/*.py"), "src/other/", "allowed are only: src/api/*.py"),
        (held("src/api/*.py"), "src/api/deep/", "allowed are only: src/api/*.py"),
        (held("**/*.py"), "any/where/", ""),
        (held("*.md"), "docs/", "allowed are only: *.md"),
        (held("/r/src/**"), "src/a", ""),
        (held(forbidden=("docs/**",)), "docs/a", "forbidden by 'docs/**'"),
        (held(forbidden=("docs/**",)), "docs/", "forbidden by 'docs'"),
        (held(forbidden=("docs/**",)), "src/a", ""),
        (held("**", forbidden=("/r/src/x",)), "src/x", "forbidden by '/r/src/x'"),
        (held(read_only=True), "a", "it is declared read-only"),
        (held(problems=("bad",)), "a", "the contract cannot be read: bad"),
    ],
)
def test_what_is_outside(contract: Held, path: str, outside: str) -> None:
    assert contract.outside(path, "/r") == outside


def test_what_binds() -> None:
    assert not held().binds
    assert held("**").binds
    assert held(forbidden=("x",)).binds
    assert held(read_only=True).binds
    assert held(problems=("x",)).binds


_PARTS = st.lists(st.sampled_from(["src", "docs", "a.py", ".env", "b"]), min_size=1, max_size=4)
_GLOBS = st.lists(
    st.sampled_from(["src/**", "**/*.py", "docs/*", "{src,docs}/b/**", "*", "src/*/a.py"]),
    min_size=1,
    max_size=3,
)


@given(parts=_PARTS, allowed=_GLOBS, forbidden=st.lists(st.sampled_from(["**/.env", "docs/**"])))
def test_edits_and_proof_are_held_to_one_contract(
    parts: list[str], allowed: list[str], forbidden: list[str]
) -> None:
    root = os.path.realpath("/nowhere")
    contract = held(*allowed, forbidden=tuple(forbidden))
    path = "/".join(parts)
    where = f"{root}/{path}"
    denied = contract.judge(Canonical(where), where, root)
    assert (denied is None) == (contract.outside(path, root) == "")
    assert Path(where).is_absolute()
