"""The key of the dashboard, as a file and as signatures."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.errors import TransportError
from pointsman.serve.dashboard_key import holds, is_token, key_of, revoke, sign


def test_it_is_made_once_and_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.key"
    key = key_of(path)
    assert key_of(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(key) > 40
    revoke(path)
    assert key_of(path) != key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("fault", ["open", "short", "link", "folder"])
def test_one_that_is_not_sound_is_not_used(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "dashboard.key"
    if fault == "open":
        key_of(path)
        path.chmod(0o604)
    elif fault == "short":
        path.write_text("short")
        path.chmod(0o600)
    elif fault == "link":
        key_of(tmp_path / "other")
        path.symlink_to(tmp_path / "other")
    else:
        path.mkdir()
    with pytest.raises(TransportError) as caught:
        key_of(path)
    assert str(path) in caught.value.fix


KEY = "k" * 43


@given(st.text(max_size=300))
def test_nothing_that_was_not_signed_holds(value: str) -> None:
    assert not holds(KEY, "link", value, 0.0)
    assert not is_token(KEY, value)


@given(st.integers(0, 2**40), st.integers(1, 10**6), st.integers(0, 60))
def test_a_signature_holds_until_its_end_and_no_byte_of_it_can_be_changed(
    now: int, seconds: int, place: int
) -> None:
    value = sign(KEY, "link", now, seconds)
    assert holds(KEY, "link", value, now + seconds - 1)
    assert not holds(KEY, "link", value, now + seconds)
    assert not holds(KEY, "cookie", value, now)
    assert not holds(KEY + "x", "link", value, now)
    place %= len(value)
    other = "0" if value[place] != "0" else "1"
    assert not holds(KEY, "link", value[:place] + other + value[place + 1 :], now)
