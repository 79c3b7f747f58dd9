"""What programs, and the pages, are told."""

import json
from pathlib import Path

import pytest

from approving import question
from pointsman.store import query
from pointsman.store.approvals import Approvals, moment

from .conftest import Site

EVERYTHING = [5, 4, 3, 2, 1]


def seqs(site: Site, path: str) -> list[int]:
    answer = site.get(path)
    assert answer.status == 200, answer.body
    return [row["seq"] for row in answer.json()["rows"]]


def test_events_come_newest_first_and_in_pages(site: Site) -> None:
    assert seqs(site, "/api/events") == EVERYTHING
    first = site.get("/api/events?limit=2&total=1").json()
    assert ([row["seq"] for row in first["rows"]], first["next"], first["total"]) == ([5, 4], 4, 5)
    assert seqs(site, "/api/events?limit=2&before=4") == [3, 2]
    assert site.get("/api/events?limit=2&before=2").json()["next"] is None


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("decision=deny", [3]),
        ("session=s2", [3]),
        ("agent=reviewer", [4]),
        ("agent=main", [5, 3, 2, 1]),
        ("tool=Write", [3]),
        ("event=PostToolUse", [2]),
        ("rule=r.ask", [4]),
        ("path=/repo", [3]),
        ("path=/repo/*.txt&decision=deny", [3]),
        ("since=1970-01-01T00:00:04", [5, 4]),
        ("until=1970-01-01T00:00:02", [2, 1]),
        ("decision=deny&session=s1", []),
    ],
)
def test_filters_mean_what_those_of_ledger_query_mean(
    site: Site, asked: str, wanted: list[int]
) -> None:
    assert seqs(site, f"/api/events?{asked}") == wanted
    assert site.get(f"/api/events?{asked}&total=1").json()["total"] == len(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hello", [2, 1]),
        ("HELLO there", [2, 1]),
        ('"hello there"', [2, 1]),
        ('"there hello"', []),
        ("hello nowhere", []),
        ("100%", [2, 1]),
        ("1%0", []),
        ("SELECT_all", [5]),
        ("SELECTxall", []),
        ("forbidden", [3]),
        ("a.txt", [3]),
        ("not json", [4]),
        ("'; DROP TABLE events; --", []),
    ],
)
def test_a_search_takes_words_literally(site: Site, text: str, wanted: list[int]) -> None:
    from urllib.parse import quote

    assert seqs(site, f"/api/events?q={quote(text)}") == wanted


def test_a_long_search_says_where_it_stopped_and_goes_on_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pointsman.store import browse

    monkeypatch.setattr(browse, "MOST_SCANNED", 2)
    first = site.get("/api/events?q=hello").json()
    assert (first["rows"], first["next"], first["scanned"]) == ([], 4, 4)
    second = site.get("/api/events?q=hello&before=4").json()
    assert ([row["seq"] for row in second["rows"]], second["next"]) == ([2], 2)
    last = site.get("/api/events?q=hello&before=2").json()
    assert ([row["seq"] for row in last["rows"]], last["next"]) == ([1], None)


@pytest.mark.parametrize(
    "path",
    ["/api/events?limit=x", "/api/events?before=-1", "/api/events?since=yesterday",
     f"/api/events?q={'x' * 501}", f"/api/events?tool={'x' * 501}", "/api/agents?repository=/etc",
     "/api/events?limit=99999999999999999999999"],
)  # fmt: skip
def test_what_means_nothing_is_said_so_with_a_next_step(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status in {400, 503}
    assert answer.json()["error"]


def test_one_event_is_what_ledger_show_prints_and_its_call(site: Site) -> None:
    whole = site.get("/api/events/1").json()
    related = whole.pop("related")
    assert whole == query.show(site.places.ledger, 1)
    assert [row["seq"] for row in related] == [1, 2]
    assert site.get("/api/events/99").status == 503
    assert site.get("/api/events/4").json()["payload"].startswith("base64:")
    assert site.get("/api/events/9223372036854775808").json()["error"]


def test_what_an_event_says_in_short(site: Site) -> None:
    rows = {row["seq"]: row for row in site.get("/api/events").json()["rows"]}
    assert rows[1]["what"] == 'say "hello there" 100%'
    assert "what" not in rows[4]
    assert (rows[3]["decision"], rows[3]["rule"], rows[3]["path"]) == (
        "deny",
        "r.no",
        "/repo/a.txt",
    )
    assert rows[4]["agent"] == "reviewer"


def test_sessions_and_one_of_them(site: Site) -> None:
    found = site.get("/api/sessions").json()
    rows = [(each["session"], each["events"], each["denied"]) for each in found["sessions"]]
    assert rows == [("s1", 4, 0), ("s2", 1, 1)]
    assert [each["agents"] for each in found["sessions"]] == [2, 1]
    assert found["complete"]
    assert not site.get("/api/sessions?limit=1").json()["complete"]
    (one,) = site.get("/api/sessions?repository=/repo").json()["sessions"]
    assert one["session"] == "s2"
    one = site.get("/api/session/s1").json()
    assert [row["seq"] for row in one["rows"]] == [1, 2, 4, 5]
    assert one["total"] == 4
    assert [(each["agent_type"], each["events"]) for each in one["agents"]] == [
        (None, 3),
        ("reviewer", 1),
    ]
    assert site.get("/api/session/none").json()["rows"] == []


def test_secrets_that_older_records_hold_are_covered(empty: Site) -> None:
    from made_secrets import made
    from store.records import record

    secret = made()["github"]
    empty.ledger.append([record(payload=json.dumps({"tool_input": {"command": secret}}).encode())])
    for path in ("/api/events", "/api/events/1", f"/api/events?q={secret[:20]}"):
        assert secret not in empty.get(path).body.decode()


def test_a_page_that_reads_too_long_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pointsman.web import reading

    monkeypatch.setattr(reading, "MOST_S", -1.0)
    monkeypatch.setattr(reading, "_STEPS", 1)
    answer = site.get("/api/hooks")
    assert answer.status == 503
    assert "without an end" in answer.json()["error"]


def test_without_a_ledger_every_page_says_what_to_do(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.ledger.close()
    for file in site.places.state.glob("ledger.db*"):
        file.unlink()
    for path in ("/api/events", "/api/sessions", "/api/hooks", "/api/agents"):
        answer = site.get(path)
        assert (answer.status, answer.json()["fix"]) == (503, "pointsman up")


def test_agents_of_a_repository_on_record(site: Site, tmp_path: Path) -> None:
    found = site.get("/api/agents?hours=0").json()
    assert found["repositories"] == {"/repo": 1}
    assert found["registry"] == {"gone": True}
    (main,) = found["outcomes"]["agent"]
    assert (main["name"], main["denied"], main["calls"]) == ("main", 1, 1)
    # Nothing of 1970 was heard of in the last week.
    assert site.get("/api/agents").json()["outcomes"]["agent"] == []


def put(site: Site, name: str = "aaaa2222") -> Approvals:
    store = Approvals(site.places.approvals)
    store.add(question(name, now=moment()))
    return store


def test_questions_are_listed_and_shown(site: Site) -> None:
    assert site.get("/api/approvals").json() == {"approvals": [], "waiting": 0}
    store = put(site)
    found = site.get("/api/approvals?state=open").json()
    assert ([each["id"] for each in found["approvals"]], found["waiting"]) == (["aaaa2222"], 1)
    assert store.get("aaaa2222").shown_ns == 0
    shown = site.get("/api/approvals/aaaa2222").json()
    assert (shown["tool"], len(shown["history"])) == ("Bash", 1)
    assert store.get("aaaa2222").shown_ns > 0
    assert site.get("/api/approvals/nothing").status == 503
    store.close()


def test_an_answer_needs_the_daemon_and_says_so(site: Site) -> None:
    store = put(site)
    answer = site.post("/api/approvals/aaaa2222/approve")
    assert (answer.status, answer.json()["fix"]) == (503, "pointsman up")
    assert store.get("aaaa2222").state.value == "waiting"
    store.close()


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("burn", b"{}", "application/json"),
        ("approve", b"{", "application/json"),
        ("approve", b"[]", "application/json"),
        ("approve", b"{}", "text/plain"),
        ("approve", b"[" * 200_000, "application/json"),
    ],
)
def test_an_answer_that_is_none_is_refused(site: Site, path: str, body: bytes, kind: str) -> None:
    answer = site.post(f"/api/approvals/aaaa2222/{path}", body, **{"content-type": kind})
    assert answer.status == 400


def test_what_a_ledger_has_nothing_of_says_so(site: Site) -> None:
    assert site.get("/api/alerts").json()["alerts"] == []
    assert site.get("/api/cost?by=agent&hours=48").json()["rows"] == []
    assert isinstance(site.get("/api/verification").json()["available"], bool)
    assert site.get("/api/cost?by=nothing").status == 400


def test_pages_where_they_were_built_and_where_they_were_not(site: Site) -> None:
    answer = site.get("/now", accept="text/html")
    assert answer.status == 503
    assert b"install Pointsman again" in answer.body
    (site.static / "assets").mkdir(parents=True)
    (site.static / "index.html").write_text("<p>page</p>")
    (site.static / "assets/a.js").write_text("1")
    (site.static / "assets/a.map").write_text("1")
    for path in ("/", "/now", "/sessions/a/b", "/ledger/7", "/alerts"):
        assert site.get(path, accept="text/html").body == b"<p>page</p>"
    assert site.get("/assets/a.js").headers["content-type"].startswith("text/javascript")
    for path in (
        "/assets/a.map",
        "/assets/../index.html",
        "/assets/none.js",
        "/nothing",
        "/ledger/x",
    ):
        assert site.get(path).status == 404
