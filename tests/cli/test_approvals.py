"""``pointsman approvals``: an agent asks through the daemon, a person answers at a terminal."""

import json
import os
import stat
from typing import Any

import pytest

from approving import question
from made_secrets import made
from pointsman.cli.approval_text import harmless
from pointsman.model.approval import NOT_KNOWN, Moment, State, Terms
from pointsman.store import query
from pointsman.store.approvals import Approvals, moment
from serve.live import until

from .conftest import Ended, Machine

AMEND = "git commit --amend -m x"


def ask(machine: Machine, command: str = AMEND, call: str = "call", **env: str) -> Ended:
    """Have the installed client ask as a run that nobody sits at would."""
    machine.more = {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli", **env}
    payload = json.dumps(machine.shell(command, tool_use_id=call)).encode()
    try:
        with machine.start("hook", "claude-code", "PreToolUse") as process:
            out, err = process.communicate(payload, timeout=120)
    finally:
        machine.more = {}
    return Ended(process.returncode, out.decode(), err.decode())


def listed(machine: Machine, *words: str) -> list[dict[str, Any]]:
    ended = machine.run("approvals", "list", "--json", *words)
    assert ended.code == 0, ended.err
    return ended.rows()


def one(machine: Machine) -> str:
    (row,) = listed(machine)
    return str(row["id"])


@pytest.fixture
def asked(machine: Machine) -> Machine:
    """A machine on which an agent has asked."""
    machine.up()
    assert ask(machine).code == 2
    return machine


def store_of(machine: Machine) -> Approvals:
    machine.state.mkdir(mode=0o700, exist_ok=True)
    return Approvals(machine.state / "approvals.db")


def test_from_the_question_to_the_one_call(asked: Machine) -> None:
    (row,) = listed(asked)
    assert (row["state"], row["tool"], row["agent"], row["rule"]) == (
        "waiting", "Bash", "main", "command.git-rewrite",
    )  # fmt: skip
    assert row["input"]["command"] == AMEND
    assert row["risk"]["reach"] == ["repository"]
    assert row["risk"]["cost"] == NOT_KNOWN
    assert "reflog" in row["risk"]["reversible"]
    ended = asked.run("approvals", "approve", row["id"], "--note", "fine")
    assert ended.code == 0, ended.err
    assert "good for one call of exactly this by main in session one, for 15 minutes" in ended.out
    assert ask(asked, AMEND + "y").code == 2
    passed = ask(asked, call="second")
    assert (passed.code, passed.out, passed.err) == (0, "", "")
    assert ask(asked, call="third").code == 2
    states = {each["input"]["command"]: each["state"] for each in listed(asked, "--all")}
    assert states == {AMEND: "waiting", AMEND + "y": "waiting"}
    assert [each["state"] for each in listed(asked, "--state", "used")] == ["used"]


def test_every_change_stands_on_the_ledger_too(asked: Machine) -> None:
    name = one(asked)
    asked.run("approvals", "deny", name, "--reason", "never")
    ledger = asked.state / "ledger.db"

    def noted() -> list[str]:
        return [each["text"] for each in query.notes(ledger) if each["kind"] == "approval"]

    until(lambda: len(noted()) == 2, "both changes are on the ledger")
    first, second = noted()
    assert first.startswith(f"{name} waiting, by main in session one")
    assert f"{name} waiting → refused, by " in second
    assert second.endswith(": no: never")
    (row,) = list(query.query(ledger, query.Filter(rule="approval.waiting")))
    assert (row["decision"], row["hook"]) == ("deny", "approvals")
    assert name in row["reason"]


def test_a_question_that_nobody_answers_is_escalated_and_lapses(machine: Machine) -> None:
    config = machine.base / "home/.config/pointsman/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[approvals]\nwait = 0.02\non_timeout = "escalate"\n')
    machine.up()
    assert ask(machine).code == 2
    name = one(machine)
    until(lambda: listed(machine, "--state", "lapsed"), "it lapses")
    ledger = machine.state / "ledger.db"
    told = list(query.query(ledger, query.Filter(event="ErrorEscalation")))
    assert [row["rule"] for row in told] == [
        "escalation.approval-asked",
        "escalation.approval-waiting",
    ]
    assert name in told[0]["reason"]
    history = json.loads(machine.run("approvals", "show", name, "--json").out)["history"]
    assert [each["after"] for each in history] == ["waiting", "waiting", "lapsed"]


def test_the_agent_is_told_of_a_no(asked: Machine) -> None:
    asked.run("approvals", "deny", one(asked), "--reason", "never on main")
    ended = ask(asked, call="again")
    assert ended.code == 2
    assert "said no: never on main" in ended.err
    assert listed(asked) == []


def test_another_input_is_what_runs(asked: Machine) -> None:
    words = ("approvals", "modify", one(asked), "--input")
    assert asked.run(*words, "[1]").code == 2
    assert asked.run(*words, "{").code == 2
    given = json.dumps({"command": "git status"}).encode()
    ended = asked.run(*words, "-", "--json", stdin=given)
    assert ended.rows()[0]["modified"] == {"command": "git status"}
    passed = ask(asked, call="second")
    assert passed.code == 0
    output = json.loads(passed.out)["hookSpecificOutput"]
    assert output == {"hookEventName": "PreToolUse", "updatedInput": {"command": "git status"}}


def test_another_input_that_the_guards_deny_does_not_run(asked: Machine) -> None:
    given = json.dumps({"command": "rm -rf /"})
    assert asked.run("approvals", "modify", one(asked), "--input", given).code == 0
    ended = ask(asked, call="second")
    assert ended.code == 2
    assert "command.rm-tree" in ended.err


def test_a_question_whole(asked: Machine) -> None:
    name = one(asked)
    text = asked.run("approvals", "show", name).out
    for words in (
        name, "waiting", "main in session one", "command.git-rewrite", AMEND, "reversible", "reach",
        "cost       not known", "rollback   git reset --soft ORIG_HEAD", "sha256",
        f"pointsman approvals approve {name}",
    ):  # fmt: skip
        assert words in text
    row = json.loads(asked.run("approvals", "show", name[:6], "--json").out)
    assert row["shown"] is not None
    assert [each["after"] for each in row["history"]] == ["waiting"]


def test_what_is_not_there_is_named_with_the_next_step(asked: Machine) -> None:
    for words in (("show", "nothing"), ("approve", "nothing"), ("deny", "nothing")):
        ended = asked.run("approvals", *words)
        assert ended.code == 1
        assert "no approval has the id 'nothing'" in ended.err
        assert "pointsman approvals list --all" in ended.err


def test_an_answer_is_given_once(asked: Machine) -> None:
    name = one(asked)
    assert asked.run("approvals", "approve", name).code == 0
    ended = asked.run("approvals", "deny", name)
    assert ended.code == 1
    assert "it is approved by" in ended.err


def test_it_needs_no_daemon_and_begins_with_nothing(machine: Machine) -> None:
    assert machine.run("approvals", "list").out == "nothing waits for an answer\n"
    assert machine.run("approvals", "list", "--json").out == ""
    assert json.loads(machine.run("approvals", "stats", "--json").out)["all"]["requests"] == 0
    ended = machine.run("approvals", "approve", "aaaa2222")
    assert ended.code == 1
    assert "nothing has been asked yet" in ended.err
    assert not machine.state.exists()
    store = store_of(machine)
    assert machine.run("approvals", "list").out == "nothing waits for an answer\n"
    store.add(question(now=moment()))
    store.close()
    assert machine.run("approvals", "approve", "aaaa2222").code == 0
    assert stat.S_IMODE((machine.state / "approvals.db").stat().st_mode) == 0o600


def test_a_question_past_its_time_is_shown_as_lapsed_without_a_daemon(machine: Machine) -> None:
    store = store_of(machine)
    store.add(question(now=Moment(10**18)))
    store.close()
    assert [row["state"] for row in listed(machine)] == ["lapsed"]
    assert machine.run("approvals", "approve", "aaaa2222").code == 1


def test_the_figures(machine: Machine) -> None:
    store = store_of(machine)
    now = moment()
    for number in range(12):
        store.add(question(f"aaaa22{number:02}", State.ASKED, now=now, rule="command.secret-read"))
        store.move(
            f"aaaa22{number:02}", State.ASKED, State.ANSWERED_YES, by="x",
            decided_ns=now.wall_ns + 10**9,
        )  # fmt: skip
    store.add(question("bbbb2222", now=now))
    store.close()
    row = json.loads(machine.run("approvals", "stats", "--json").out)
    secret = row["rules"]["command.secret-read"]
    assert (secret["requests"], secret["approved_share"], secret["median_s"]) == (12, 1.0, 1.0)
    assert (secret["fast_share"], secret["rubber_stamp"]) == (1.0, True)
    assert row["rules"]["command.git-rewrite"]["rubber_stamp"] is False
    assert row["all"]["requests"] == 13
    text = machine.run("approvals", "stats").out
    assert "rubber-stamping: command.secret-read" in text
    assert machine.run("approvals", "stats", "--since", "2999-01-01").code == 0


def test_no_agent_answers_from_inside_its_own_session(asked: Machine) -> None:
    name = one(asked)
    asked.more = {"CLAUDE_CODE_SESSION_ID": "one"}
    for words in (("approve", name), ("deny", name), ("modify", name, "--input", "{}")):
        ended = asked.run("approvals", *words)
        assert ended.code == 1
        assert "an agent does not answer them" in ended.err
    asked.more = {"CLAUDE_CODE_SESSION_ID": "another"}
    assert asked.run("approvals", "approve", name).code == 0


def test_no_agent_answers_from_a_process_of_its_own(machine: Machine) -> None:
    machine.up()
    # This test is the agent: the commands below are started by it.
    assert ask(machine, CLAUDE_PID=str(os.getpid())).code == 2
    ended = machine.process("approvals", "approve", one(machine))
    assert ended.code == 1
    assert "type it in a terminal of your own" in ended.err
    assert machine.process("approvals", "list").code == 0


def test_a_process_with_the_number_of_one_that_asked_before_it_began_is_another(
    machine: Machine,
) -> None:
    store = store_of(machine)
    now = moment()
    yesterday = Moment(now.wall_ns - 86_400 * 10**9)
    # This process has begun since then.
    week = Terms(wait=7 * 86_400)
    store.add(question(now=yesterday, host_pid=os.getpid(), terms=week))
    store.close()
    assert machine.process("approvals", "approve", "aaaa2222").code == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é\nline", "plain é\nline"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\u202eb", "a\\u202eb"),
        ("a\rb\0", "a\\rb\\x00"),
    ],
)
def test_nothing_moves_the_cursor_of_who_reads(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_command_with_escapes_is_shown_with_them_spelled_out(machine: Machine) -> None:
    store = store_of(machine)
    store.add(question(tool_input={"command": "ls \x1b[1A"}, reason="\x1b[2K", now=moment()))
    store.close()
    for words in (("list",), ("show", "aaaa2222")):
        assert "\x1b" not in machine.run("approvals", *words).out


def test_status_tells_how_many_wait(asked: Machine) -> None:
    assert json.loads(asked.run("status", "--json").out)["approvals_waiting"] == 1
    assert "1 question waits" in asked.run("status").out


def test_no_secret_of_a_persons_answer_is_kept(asked: Machine) -> None:
    secret, name = made()["github"], one(asked)
    text = json.dumps({"command": f"echo {secret}"})
    ended = asked.run("approvals", "modify", name, "--input", text)
    assert (ended.code, "holds a github-pat" in ended.err) == (1, True)
    assert asked.run("approvals", "deny", name, "--reason", f"not with {secret}").code == 0
    told = asked.run("approvals", "show", name)
    assert secret not in told.out + told.err + ended.err
    assert "not with [redacted:github-pat:" in told.out
