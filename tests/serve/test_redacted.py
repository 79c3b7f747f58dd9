"""No file of the state directory holds a secret that went through the real daemon."""

import contextlib
import json
import logging
import random
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from made_secrets import made
from pointsman.secrets.redact import Redactor
from pointsman.serve.log import cover_log
from pointsman.store import query

from .live import Live, live, payload, until

ENVIRON = "Tq7-plain.words/of+mine"


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("redacted")) as rig:
        rig.env["DEPLOY_TOKEN"] = ENVIRON
        yield rig


def written(rig: Live) -> dict[str, bytes]:
    """Return every file of the state directory, whatever it is called."""
    return {
        str(path.relative_to(rig.state)): path.read_bytes()
        for path in rig.state.rglob("*")
        if path.is_file()
    }


def holders(rig: Live, secret: str) -> list[str]:
    """Return the files that hold a secret, as it is or in JSON's escapes."""
    spelled = {secret, json.dumps(secret)[1:-1], secret.replace("/", "\\/")}
    return [
        name
        for name, data in written(rig).items()
        if any(each.encode() in data for each in spelled)
    ]


def call(event: str, command: str, **more: object) -> bytes:
    """Return the payload of a shell command."""
    return payload("call", command, event, **more)


def events(secret: str, chance: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """Return payloads that carry a secret in every place where a host puts text."""
    noise = "".join(chance.choice("abc \n\t\"'\\{}[]:,/é ü\u2028🔑") for _ in range(40))
    text = f"{noise} {secret} {noise}"
    base = {"session_id": "s", "cwd": "/nowhere", "tool_use_id": "t"}
    bash: dict[str, Any] = {
        "tool_name": "Bash",
        "tool_input": {"command": f"echo '{secret}'", "description": text},
    }
    return [
        ("PreToolUse", {**base, **bash}),
        (
            "PreToolUse",
            {**base, "tool_name": "Bash", "tool_input": {"command": f"rm -rf / '{secret}'"}},
        ),
        ("PostToolUse", {**base, **bash, "tool_response": {"stdout": text, "n": [{secret: 1}]}}),
        ("PostToolUseFailure", {**base, **bash, "error": text}),
        ("UserPromptSubmit", {**base, "prompt": text}),
        (
            "PreToolUse",
            {
                **base,
                "tool_name": "Write",
                "tool_input": {"file_path": f"/nowhere/{secret[:40]}", "content": text},
            },
        ),
        ("PreToolUse", {**base, "tool_name": text, "tool_input": {"a": secret}}),
        ("Notification", {**base, "message": text, secret: "a field that is not known"}),
        ("Stop", {**base, "last_assistant_message": text, "stop_hook_active": secret}),
        ("SomethingNew", {**base, "deep": [[[{"x": text}]]]}),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_no_file_holds_what_went_through(spent: Live, seed: int) -> None:
    chance = random.Random(seed)
    secrets = {**made(seed), "environment": ENVIRON}
    picked = dict(chance.sample(sorted(secrets.items()), 4)) | {"environment": ENVIRON}
    for secret in picked.values():
        for event, native in events(secret, chance):
            data = json.dumps(
                {"hook_event_name": event, **native}, ensure_ascii=chance.random() < 0.5
            )
            done = spent.send(data.encode(), event)
            assert secret.encode() not in done.stdout + done.stderr
    for kind, secret in picked.items():
        assert holders(spent, secret) == [], kind


def test_what_is_no_payload_is_covered_too(spent: Live) -> None:
    secret = made(21)["github"]
    given = [
        f"no json {secret}",
        f'{{"cut": "{secret}',
        f'["{secret}"]',
        f'{{"a": NaN, "b": "{secret}"}}',
    ]
    for data in given:
        spent.send(data.encode())
        spent.send(data.encode(), "PostToolUse")
    assert holders(spent, secret) == []


def test_the_record_says_how_many_and_which_and_stays_json(spent: Live) -> None:
    secret = made(31)["github"]
    native = {
        "session_id": "told",
        "cwd": "/",
        "tool_name": "Bash",
        "tool_input": {"command": f"echo {secret}"},
        "tool_response": {"stdout": secret},
    }
    spent.send(json.dumps({"hook_event_name": "PostToolUse", **native}).encode(), "PostToolUse")
    row = query.show(spent.places.ledger, spent.last()["seq"])
    runs = [run for run in row["hook_runs"] if run["hook"] == "redaction"]
    assert [run["reason"] for run in runs] == ["covered 2 github-pat"]
    kept = json.loads(query.payload(spent.places.ledger, row["seq"]))
    assert kept["tool_response"]["stdout"].startswith("[redacted:github-pat:")
    assert kept["tool_input"]["command"] == "echo " + kept["tool_response"]["stdout"]


def test_a_large_payload_is_covered_like_a_small_one(spent: Live) -> None:
    secret = made(41)["stripe"]
    text = "x = 1\n" * 30_000 + secret + "\ny = 2\n" * 30_000
    data = call("PostToolUse", "cat x", tool_response={"stdout": text})
    spent.send(data, "PostToolUse")
    assert holders(spent, secret) == []
    kept = json.loads(query.payload(spent.places.ledger, spent.last()["seq"]))
    assert len(kept["tool_response"]["stdout"]) > 300_000


def test_exports_cover_what_an_older_version_wrote(spent: Live) -> None:
    secret = made(51)["npm"]
    spent.call("old")
    spent.kill(signal.SIGTERM)
    with contextlib.closing(sqlite3.connect(spent.places.ledger)) as ledger:
        newest = "SELECT * FROM events ORDER BY seq DESC LIMIT 1"
        row = list(ledger.execute(newest).fetchone())
        columns = [each[1] for each in ledger.execute("PRAGMA table_info(events)")]
        seq = row[0] + 1_000_000
        row[0], row[columns.index("decision")], row[columns.index("reason")] = seq, "deny", secret
        ledger.execute(f"INSERT INTO events VALUES ({','.join('?' * len(row))})", row)
        body = json.dumps({"a": secret}).encode()
        ledger.execute("INSERT INTO bodies VALUES (?, ?, x'', x'')", (seq, body))
        ledger.commit()
    for words in (
        ["show", str(seq)],
        ["show", str(seq), "--json"],
        ["export"],
        ["query"],
        ["query", "--json"],
        ["tail", "-n", "3"],
        ["tail", "--json"],
    ):
        done = spent.command("ledger", *words)
        assert done.returncode == 0, done.stderr
        assert secret not in done.stdout
        assert "[redacted:npm-access-token:" in done.stdout


def test_what_a_client_had_to_spool_is_covered_when_it_is_taken_in(spent: Live) -> None:
    secret = made(61)["slack"]
    spent.kill()
    data = call("PostToolUse", secret, session_id="spooled")
    done = spent.send(data, "PostToolUse", env={"POINTSMAN_DAEMON": "/no/such/program"})
    assert b"is on record" in done.stderr
    spooled = list(spent.places.spool.iterdir())
    assert [path.stat().st_mode & 0o777 for path in spooled] == [0o600]
    spent.call("again")
    until(lambda: not any(spent.places.spool.iterdir()), "the spool is taken in")
    assert holders(spent, secret) == []
    assert spent.rows()[-1]["session"] in {"spooled", "live"}


def test_a_spool_file_that_cannot_be_read_keeps_no_secret_either(spent: Live) -> None:
    secret = made(71)["gitlab"]
    spent.call("up")
    (spent.places.spool / "1-1.frame").write_bytes(f"no frame {secret} at all".encode())
    until((spent.places.spool / "broken/1-1.frame").exists, "it is set aside")
    until(lambda: holders(spent, secret) == [], "it is covered")


def test_decide_shows_a_decision_without_the_secret(spent: Live) -> None:
    secret = made(81)["github"]
    line = call("PreToolUse", f"rm -rf / {secret}").decode()
    for more in ([], ["--record"]):
        done = spent.command("decide", *more, input=line)
        assert json.loads(done.stdout)["decision"] == "deny"
        assert secret not in done.stdout
    assert holders(spent, secret) == []


def test_the_log_covers_them(tmp_path: Path) -> None:
    secret = made(91)["github"]
    handler = logging.FileHandler(tmp_path / "log")
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        cover_log(Redactor.of(tmp_path, {}))
        root.error("it says %s", secret)
        try:
            int(secret)
        except ValueError:
            root.exception("broken")
    finally:
        root.removeHandler(handler)
        handler.close()
    text = (tmp_path / "log").read_text()
    assert text.count("[redacted:github-pat:") == 2
    assert secret not in text


def test_a_covered_session_can_be_replayed(spent: Live) -> None:
    spent.send(call("PreToolUse", f"rm -rf / {made(101)['github']}", session_id="again"))
    done = spent.command("replay", "again", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["was"], row["now"]) == ("deny", "deny")
