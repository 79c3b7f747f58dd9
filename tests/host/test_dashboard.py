"""A person at the dashboard, in a real browser, and the real Claude Code at work."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from web.browser import chromium

from .messages_api import Gate, MessagesApi, Pause, agent, bash, used
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = [pytest.mark.host, pytest.mark.browser]

# Generous: how fast it is, `make bench` measures.
expect.set_options(timeout=60_000)
ASK = "$UNKNOWN_PROGRAM"
"""A command that cannot be read, so that a person is asked."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def under(claude: Claude, browser: Browser) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


@pytest.fixture
def page(browser: Browser, under: Guarded) -> Iterator[Page]:
    """The dashboard of the project's daemon, opened by its link."""
    under.daemon_pid()
    given = json.loads(under.command("dashboard", "--json"))
    context = browser.new_context(base_url=given["url"], viewport={"width": 1300, "height": 860})
    context.set_default_timeout(60_000)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(given["link"])
    yield opened
    context.close()
    assert faults == []


def counting(marker: Path) -> str:
    return f"echo x >> {marker}; {ASK} || true"


def runs(marker: Path) -> int:
    return len(marker.read_text()) // 2 if marker.exists() else 0


def test_what_the_agent_does_is_seen_while_it_works(
    under: Guarded, api: MessagesApi, page: Page
) -> None:
    gate = Gate()
    api.script("main", bash("echo first"), bash("rm -rf /"), Pause(gate, "the end"))
    page.goto("/now")
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        # The model has not answered yet: all of this is of a session that goes on.
        expect(page.locator(".feed")).to_contain_text("rm -rf /")
        expect(page.locator(".srow", has_text="echo first").first).to_be_visible()
        expect(page.locator(".lane-name")).to_have_count(1)
        gate.open()
        assert session.finish().returncode == 0
    page.goto("/ledger")
    rows = len(under.rows())
    expect(page.locator(".ledger .card h2")).to_have_text(f"{rows} events")
    page.goto(f"/ledger?event=PreToolUse&session={under.rows()[0]['session']}")
    expect(page.locator(".ledger .card h2")).to_have_text("2 events")


def test_an_event_is_on_the_page_within_a_second_of_its_answer(
    under: Guarded, api: MessagesApi, page: Page
) -> None:
    gates = [Gate() for _ in range(5)]
    api.script("main", *[Pause(gate, bash(f"echo {n}")) for n, gate in enumerate(gates)])
    page.goto("/ledger")
    page.evaluate(
        """() => {
            window.seen = {};
            const look = () => document.querySelectorAll('.trow[data-seq]').forEach((row) => {
                window.seen[row.dataset.seq] ??= Date.now();
            });
            new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        for gate in gates:
            gate.wait()
            # Nobody is in a hurry: what is measured is one event at a time.
            time.sleep(0.3)
            gate.open()
        session.finish()
    rows = under.rows("--event", "PreToolUse")
    expect(page.locator(f".trow[data-seq='{rows[-1]['seq']}']")).to_be_visible()
    seen = page.evaluate("window.seen")
    answered = {
        row["seq"]: page.evaluate("(at) => Date.parse(at)", row["time"]) + row["ms"] for row in rows
    }
    waits = sorted(seen[str(seq)] - at for seq, at in answered.items())
    assert len(waits) == 5
    # The middle one: a machine that stands still for a moment does so in between.
    assert waits[2] <= 1000, waits


def test_a_yes_on_the_page_lets_the_waiting_agent_go_on(
    under: Guarded, api: MessagesApi, page: Page
) -> None:
    marker, gate = under.project / "ran", Gate()
    call = bash(counting(marker))
    api.script("main", call, Pause(gate, call), call)
    page.goto("/alerts")
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        asked = page.locator("[data-approval]")
        expect(asked).to_contain_text("UNKNOWN_PROGRAM")
        gate.wait()
        assert runs(marker) == 0
        asked.get_by_label("A word for the record").fill("go on")
        asked.get_by_role("button", name="Approve once").click()
        expect(asked).to_have_count(0)
        gate.open()
        result = session.finish()
    told = [result.tool_results[f"toolu_main_{turn}_0"].is_error for turn in range(3)]
    assert (told, runs(marker)) == ([True, False, True], 1)
    listed = under.command("approvals", "list", "--json", "--state", "used")
    (used_one,) = [json.loads(line) for line in listed.splitlines()]
    assert used_one["decided_by"].endswith(", dashboard")
    assert used_one["note"] == "go on"


def test_a_stop_on_the_page_ends_the_real_session_at_its_next_event(
    under: Guarded, api: MessagesApi, page: Page
) -> None:
    marker, gate = under.project / "ran", Gate()
    api.script("main", bash("echo one"), Pause(gate, bash(f"touch {marker}")), bash("echo more"))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        page.goto(f"/sessions/{under.rows()[0]['session']}")
        page.get_by_role("button", name="Stop the session").click()
        page.keyboard.type("that is enough")
        page.keyboard.press("Enter")
        expect(page.locator(".halt")).to_contain_text("is stopped by")
        gate.open()
        result = session.finish()
    assert result.terminal_reason == "hook_stopped"
    assert not marker.exists()
    assert "toolu_main_2_0" not in under.transcript_calls()
    assert "that is enough" in under.row("toolu_main_1_0")["reason"]


def test_a_stop_of_a_subagent_ends_it_and_not_who_started_it(
    under: Guarded, api: MessagesApi, page: Page
) -> None:
    marker, gate = under.project / "ran", Gate()
    api.script("sub", bash("echo one"), Pause(gate, bash(f"touch {marker}")), bash("echo more"))
    api.script("main", agent("sub"), bash("echo after"))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        page.goto(f"/sessions/{under.rows()[0]['session']}")
        page.locator(".tree li button").nth(1).click()
        page.get_by_role("button", name="Stop agent").click()
        page.keyboard.press("Enter")
        expect(page.locator(".halt")).to_contain_text("is stopped by")
        gate.open()
        result = session.finish()
    assert not marker.exists()
    assert not result.tool_results["toolu_main_1_0"].is_error
    assert under.row("toolu_sub_1_0")["decision"] == "deny"


def test_figures_are_those_of_the_commands(under: Guarded, api: MessagesApi, page: Page) -> None:
    spent = [used(bash(f"echo {n}"), (100 + n, 20, 3000, 40, 5)) for n in range(3)]
    api.script("sub", used(bash("rm -rf /"), (7, 9, 11, 13, 17)))
    api.script("main", *spent, agent("sub"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.returncode == 0
    under.wait_for_record()
    page.goto("/ledger?decision=deny")
    denied = len(under.rows("--decision", "deny"))
    expect(page.locator(".ledger .card h2")).to_have_text(f"{denied} event{'s' * (denied != 1)}")
    page.goto("/sessions")
    cells = page.locator("tbody tr").first.locator("td")
    calls = len(under.rows("--event", "PreToolUse"))
    expect(cells.nth(3)).to_have_text(str(calls))
    # One call was stopped, although the edit that it would have been is a row of its own.
    expect(cells.nth(4)).to_have_text("1")
    page.goto("/cost")
    for row in map(json.loads, under.command("cost", "--by", "model", "--json").splitlines()):
        line = page.locator(".list tbody tr", has_text=row["model"])
        for column, name in enumerate(("calls", "input_tokens", "output_tokens"), start=3):
            expect(line.locator("td").nth(column)).to_have_text(f"{row[name]:,}")
