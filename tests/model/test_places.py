"""Where things are kept, by the environment; the clients compute the same."""

from pathlib import Path

import pytest

from pointsman.model.places import Places

HOME = Path("/home/u")


@pytest.mark.parametrize(
    ("environ", "state", "config"),
    [
        ({}, "/home/u/.local/state/pointsman", "/home/u/.config/pointsman"),
        ({"XDG_STATE_HOME": "/s"}, "/s/pointsman", "/home/u/.config/pointsman"),
        ({"XDG_CONFIG_HOME": "/c"}, "/home/u/.local/state/pointsman", "/c/pointsman"),
        ({"POINTSMAN_STATE_DIR": "/own", "XDG_STATE_HOME": "/s"},
         "/own", "/home/u/.config/pointsman"),
        ({"POINTSMAN_STATE_DIR": "own", "XDG_STATE_HOME": "s", "XDG_CONFIG_HOME": ""},
         "/home/u/.local/state/pointsman", "/home/u/.config/pointsman"),
    ],
)  # fmt: skip
def test_the_variables(environ: dict[str, str], state: str, config: str) -> None:
    places = Places.from_environ(environ, HOME)
    assert (str(places.state), str(places.config)) == (state, config)


def test_what_lies_in_them() -> None:
    places = Places(state=Path("/s"), config=Path("/c"))
    names = ("socket", "lock", "log", "ledger", "spool", "trust", "user_config")
    assert [str(getattr(places, name)) for name in names] == [
        "/s/daemon.sock", "/s/daemon.lock", "/s/daemon.log", "/s/ledger.db", "/s/spool",
        "/s/trust.json", "/c/config.toml",
    ]  # fmt: skip
