"""Who is let in and who is not, one refusal a row."""

import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pointsman.serve.dashboard_key import COOKIE_S, LINK_S, key_of, revoke, sign
from pointsman.web.access import MOST_BODY, SECURITY_HEADERS, Access
from pointsman.web.replies import told

from .asgi import HOME, PORT, Answered, call

COOKIE = f"pointsman_{PORT}"
NOW = 1_800_000_000.0


class Door:
    """The real access in front of a page that says it was reached."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dashboard.key"
        self.key = key_of(self.path)
        self.now = NOW
        routes = [Route("/", _reached), Route("/act", told(_acted), methods=["POST"])]
        self.app = Access(Starlette(routes=routes), self.path, PORT, lambda: self.now)

    def cookie(self, at: float = NOW) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={sign(self.key, 'cookie', at, COOKIE_S)}"}

    def token(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def get(self, path: str = "/", **headers: str) -> Answered:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(self.app, path, headers=given)


async def _reached(_: Request) -> Response:
    return PlainTextResponse("reached")


async def _acted(request: Request) -> Response:
    return PlainTextResponse(f"acted on {len(await request.body())}")


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_cookie_and_a_token_let_in(door: Door) -> None:
    assert door.get(**door.cookie()).body == b"reached"
    assert door.get(**door.token()).body == b"reached"


def test_without_a_key_a_page_says_what_to_type_and_a_program_is_told_in_json(door: Door) -> None:
    page = door.get(accept="text/html,*/*")
    assert (page.status, b"pointsman dashboard" in page.body) == (401, True)
    answer = door.get()
    assert answer.status == 401
    assert answer.json() == {
        "error": "this needs a cookie or a token",
        "fix": "pointsman dashboard",
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": f"{COOKIE}=nonsense"},
        {"cookie": f"{COOKIE}=99999999999.aaaa.{'0' * 64}"},
        {"cookie": f"{COOKIE}={'x' * 5000}"},
        {"cookie": "other=1; ;;=="},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer é"},
        {"authorization": "Basic abc"},
        {"authorization": "Bearer "},
    ],
)
def test_a_wrong_key_is_refused(door: Door, headers: dict[str, str]) -> None:
    assert door.get(**headers).status == 401


def test_a_cookie_ends_and_a_revoked_key_lets_nobody_in(door: Door) -> None:
    cookie, token = door.cookie(), door.token()
    door.now = NOW + COOKIE_S - 1
    assert door.get(**cookie).status == 200
    door.now = NOW + COOKIE_S
    assert door.get(**cookie).status == 401
    door.now = NOW
    revoke(door.path)
    assert (door.get(**cookie).status, door.get(**token).status) == (401, 401)


def test_what_was_signed_for_one_purpose_is_good_for_no_other(door: Door) -> None:
    link = sign(door.key, "link", NOW, LINK_S)
    assert door.get(cookie=f"{COOKIE}={link}").status == 401
    cookie = sign(door.key, "cookie", NOW, COOKIE_S)
    assert door.get(f"/open?code={cookie}").status == 401


def test_a_link_works_once_and_for_a_while(door: Door) -> None:
    link = f"/open?code={sign(door.key, 'link', NOW, LINK_S)}"
    first = door.get(link)
    assert (first.status, first.headers["location"]) == (303, "/")
    given = first.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=strict" in given
    assert door.get(cookie=given.partition(";")[0]).status == 200
    assert door.get(link).status == 401
    late = f"/open?code={sign(door.key, 'link', NOW - LINK_S, LINK_S)}"
    assert door.get(late).status == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1.:{PORT}",
     f"127.0.0.1:{PORT}.evil.example", f"[::1]:{PORT}", "", f"localhost.evil.example:{PORT}"],
)  # fmt: skip
def test_a_rebound_host_is_refused_whatever_else_it_has(door: Door, host: str) -> None:
    for given in (door.token(), door.cookie()):
        assert door.get(host=host, **given).status == 403
    # Not even a link: it would tell a rebound page whether it holds.
    link = sign(door.key, "link", NOW, LINK_S)
    assert door.get(f"/open?code={link}", host=host).status == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1",
     "http://127.0.0.1:1", f"http://127.0.0.1:{PORT}.evil.example", "file://", ""],
)  # fmt: skip
def test_a_foreign_origin_is_refused(door: Door, origin: str) -> None:
    assert door.get(origin=origin, **door.cookie()).status == 403


@pytest.mark.parametrize("name", ["host", "origin"])
@pytest.mark.parametrize("second", ["evil.example", HOME])
def test_a_name_that_is_said_twice_is_none(door: Door, name: str, second: str) -> None:
    first = {"host": HOME, "origin": f"http://{HOME}"}[name]
    # By another spelling it is a header of its own on the wire.
    given = {name: first, name.title(): second, **door.token()}
    assert call(door.app, "/", headers=given).status == 403
    del given[name.title()]
    assert call(door.app, "/", headers=given).status == 200


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_origin_is_not(door: Door, name: str) -> None:
    given = {"origin": f"http://{name}:{PORT}", "host": f"{name}:{PORT}"}
    assert door.get(**given, **door.cookie()).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_fetch_from_another_site_is_refused_and_an_arrival_is_not(door: Door, site: str) -> None:
    assert door.get(sec_fetch_site=site, sec_fetch_mode="no-cors", **door.cookie()).status == 403
    assert door.get(sec_fetch_site=site, sec_fetch_mode="navigate", **door.cookie()).status == 200


def test_who_changes_something_says_where_it_comes_from(door: Door) -> None:
    own = {"origin": f"http://{HOME}"}
    assert call(door.app, "/act", "POST", door.cookie()).status == 403
    assert call(door.app, "/act", "POST", door.cookie() | own).status == 200
    assert call(door.app, "/act", "POST", door.token()).status == 200
    arrival = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert call(door.app, "/act", "POST", door.cookie() | own | arrival).status == 403


def test_long_requests_are_refused(door: Door) -> None:
    token = door.token()
    assert door.get(f"/?{'x' * 9000}", **token).status == 414
    assert door.get("/" + "x" * 9000, **token).status == 414
    assert call(door.app, "/act", "POST", token | {"content-length": "1e9"}).status == 413
    said = token | {"content-length": str(MOST_BODY + 1)}
    assert call(door.app, "/act", "POST", said).status == 413
    # A body that is longer than its header says, or has no length at all.
    assert call(door.app, "/act", "POST", token, b"x" * (MOST_BODY + 1)).status == 413
    assert call(door.app, "/act", "POST", token, b"x" * MOST_BODY).status == 200


def test_every_answer_has_the_headers_and_none_opens_it_to_other_sites(door: Door) -> None:
    refused = door.get(host="evil.example")
    for answer in (
        refused,
        door.get(),
        door.get(**door.token()),
        door.get("/none", **door.token()),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["cache-control"] == "no-store"
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "unsafe" not in SECURITY_HEADERS["content-security-policy"]


def test_a_key_that_others_can_read_lets_nobody_in(door: Door) -> None:
    door.path.chmod(0o640)
    answer = door.get(**door.token())
    assert answer.status == 503
    assert "open to others" in answer.json()["error"]


def test_the_clock_of_the_running_dashboard_is_that_of_the_machine(tmp_path: Path) -> None:
    key = key_of(tmp_path / "dashboard.key")
    app = Access(Starlette(routes=[Route("/", _reached)]), tmp_path / "dashboard.key", PORT)
    value = sign(key, "cookie", time.time(), 60)
    assert call(app, "/", headers={"cookie": f"{COOKIE}={value}"}).status == 200
