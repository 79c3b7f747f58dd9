"""A person walks the pages of a real daemon's dashboard, while agents work."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from approving import question
from pointsman.model.approval import State
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals, moment
from serve.live import Live, live, payload

from .browser import chromium, signed_in

# Generous: how fast it is, is no matter of these tests.
expect.set_options(timeout=60_000)
PAGES = ("now", "sessions", "cost", "hooks", "alerts", "ledger", "agents")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def rig(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("dashboard")
    with live(folder) as started:
        (folder / "repo/.git").mkdir(parents=True)
        work(started, "toolu_1", "ls -la")
        work(started, "toolu_2", "rm -rf /")
        yield started


def work(rig: Live, call: str, command: str, **more: Any) -> None:
    """Have an agent make one call; it runs where it is let."""
    given = {"cwd": str(rig.folder / "repo"), "session_id": "walk", **more}
    before = rig.send(payload(call, command, **given))
    if before.returncode == 0 and b'"deny"' not in before.stdout:
        rig.send(payload(call, command, "PostToolUse", **given), "PostToolUse")


@pytest.fixture
def page(browser: Browser, rig: Live) -> Iterator[Page]:
    opened = signed_in(browser, rig)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield opened
    opened.context.close()
    assert faults == []


def total(rig: Live, *words: str) -> int:
    done = rig.command("ledger", "query", "--json", "--limit", "0", *words)
    return len(done.stdout.splitlines())


def test_each_page_shows_something_and_says_so_without_a_pointer(page: Page) -> None:
    for number, name in enumerate(PAGES, start=1):
        page.keyboard.press(str(number))
        page.wait_for_url(f"**/{name}")
        expect(page.locator("main .card, main .empty").first).to_be_visible()
        expect(page.locator(".page-link[aria-current]")).to_have_attribute("href", f"/{name}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_light_and_dark_by_the_system_and_by_choice(browser: Browser, rig: Live) -> None:
    shown = "getComputedStyle(document.body).backgroundColor"
    page = signed_in(browser, rig, "light")
    expect(page.locator(".tiles").first).to_be_visible()
    light = page.evaluate(shown)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(shown) != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.close()


def test_an_event_is_seen_as_it_comes(page: Page, rig: Live) -> None:
    page.goto("/now")
    feed = page.locator(".feed")
    expect(feed).to_contain_text("rm -rf /")
    lane = page.locator(".lane-name", has_text="reviewer")
    expect(lane).to_have_count(0)
    work(rig, "toolu_live", "rm -rf /usr", agent_id="a1", agent_type="reviewer")
    expect(feed).to_contain_text("rm -rf /usr")
    expect(lane).to_be_visible()


def test_the_ledger_counts_what_the_command_counts_and_follows(page: Page, rig: Live) -> None:
    page.goto("/ledger")
    heading = page.locator(".ledger .card h2")
    expect(heading).to_have_text(f"{total(rig)} events")
    work(rig, "toolu_more", "git status")
    expect(heading).to_have_text(f"{total(rig)} events")
    expect(page.locator(".trow").first).to_contain_text("git status")
    page.get_by_role("button", name="deny").click()
    denied = total(rig, "--decision", "deny")
    expect(heading).to_have_text(f"{denied} event{'s' * (denied != 1)}")
    expect(page.locator(".trow")).to_have_count(denied)


def test_a_search_finds_words_and_an_event_has_an_address(page: Page, rig: Live) -> None:
    work(rig, "toolu_word", "echo 'a most peculiar word'")
    page.goto("/ledger")
    expect(page.locator(".trow").first).to_contain_text("peculiar")
    page.keyboard.press("/")
    page.keyboard.type('"most peculiar" echo')
    page.keyboard.press("Enter")
    expect(page.locator(".trow")).to_have_count(2)
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".drawer")).to_contain_text("a most peculiar word")
    seq = page.locator(".drawer h2").inner_text().removeprefix("#")
    page.goto(f"/ledger/{seq}")
    expect(page.locator(".drawer")).to_contain_text("Hooks that were asked")
    expect(page.locator(".drawer")).to_contain_text("secret-output")


def test_a_session_is_replayed(page: Page) -> None:
    page.goto("/sessions")
    page.get_by_role("link", name="walk").click()
    page.wait_for_url("**/sessions/walk")
    expect(page.locator(".lane-name")).not_to_have_count(0)
    rows = page.locator(".srow")
    expect(rows.first).to_be_visible()
    whole = rows.count()
    page.locator("main").focus()
    page.keyboard.press("Home")
    expect(rows).not_to_have_count(whole)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(rows).to_have_count(whole)


def test_hooks_are_held_against_their_budgets(page: Page) -> None:
    page.goto("/hooks")
    row = page.locator("table.hooks tr", has_text="command-safety")
    expect(row.get_by_role("img", name=re.compile("decided"))).to_be_visible()
    expect(row).to_contain_text("of 10.00 s")
    expect(page.locator(".chart canvas")).to_be_visible()


def put(rig: Live, name: str) -> Approvals:
    store = Approvals(rig.places.approvals)
    store.add(question(name, now=moment()))
    return store


@pytest.mark.parametrize(("button", "state"), [("Approve once", "approved"), ("Deny", "refused")])
def test_a_question_is_answered(page: Page, rig: Live, button: str, state: str) -> None:
    name = {"approved": "yesyes22", "refused": "nonono22"}[state]
    page.goto("/now")
    expect(page.locator(".page-link .questions")).to_have_count(0)
    store = put(rig, name)
    # It is told on every page, without a reload.
    expect(page.locator(".page-link .questions")).to_have_text("? 1")
    page.goto("/alerts")
    asked = page.locator(f"[data-approval='{name}']")
    expect(asked).to_contain_text("git commit --amend")
    asked.get_by_label("A word for the record").fill("as agreed")
    asked.get_by_role("button", name=button).click()
    expect(asked).to_have_count(0)
    one = store.get(name)
    store.close()
    assert (one.state.value, one.note) == (state, "as agreed")
    assert one.decided_by.endswith(", dashboard")


def test_another_input_is_put_in_the_place_of_the_call(page: Page, rig: Live) -> None:
    store = put(rig, "modify22")
    page.goto("/alerts")
    asked = page.locator("[data-approval=modify22]")
    asked.get_by_role("button", name="Change the call").click()
    asked.locator("textarea").fill(json.dumps({"command": "git commit"}))
    asked.get_by_role("button", name="Approve with this input").click()
    expect(asked).to_have_count(0)
    assert store.get("modify22").modified == {"command": "git commit"}
    store.close()


def settle(rig: Live) -> None:
    """Say no to everything that waits."""
    approvals = Approvals(rig.places.approvals)
    for one in approvals.some((State.WAITING,)):
        verdicts.refuse(approvals, one.id, "the test")
    approvals.close()


def ask(
    rig: Live, call: str, command: str = "git commit --amend", *, apart: bool
) -> tuple[int, str]:
    """Have an agent that nobody sits at make a call that is asked about.

    ``apart``: its host is no ancestor of the browser, as an agent's is none of a person's browser.
    """
    given = payload(call, command, cwd=str(rig.folder / "repo"), session_id="asks")
    env = {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}
    if not apart:
        env["CLAUDE_PID"] = str(os.getpid())
    done = rig.send(given, env=env)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_yes_lets_exactly_this_call_of_the_agent_pass(page: Page, rig: Live) -> None:
    code, said = ask(rig, "asks_1", apart=True)
    assert code == 2, said
    (name,) = re.findall(r"approval ([a-z0-9]{8})", said.partition("This call did not run")[0])
    page.goto("/alerts")
    asked = page.locator(f"[data-approval='{name}']")
    expect(asked).to_contain_text("git commit --amend")
    asked.get_by_role("button", name="Approve once").click()
    expect(asked).to_have_count(0)
    assert ask(rig, "asks_2", apart=True)[0] == 0
    # Once: the next one is a new question.
    assert ask(rig, "asks_3", apart=True)[0] == 2
    settle(rig)


def test_a_foreign_page_can_neither_read_nor_act(page: Page, rig: Live) -> None:
    store = put(rig, "foreign2")
    base = rig.status()["dashboard"]["url"]
    other = page.context.new_page()
    # Another site on this very machine: the browser sends it our cookie.
    other.route("http://127.0.0.1:1/*", lambda route: route.fulfill(body="<p>foreign</p>"))
    other.goto("http://127.0.0.1:1/")
    script = """async (to) => {
        const tries = [
            fetch(to + "api/events", {credentials: "include"}).then((r) => r.text()),
            fetch(to + "api/approvals/foreign2/approve", {
                method: "POST", credentials: "include",
                headers: {"content-type": "application/json"}, body: "{}"}).then((r) => r.text()),
            fetch(to + "api/approvals/foreign2/approve", {
                method: "POST", mode: "no-cors", credentials: "include", body: "{}"}),
            fetch(to + "api/events", {mode: "no-cors", credentials: "include"}),
        ];
        return (await Promise.allSettled(tries)).map((each) => each.status);
    }"""
    # The last two are sent, as such requests are, with the cookie: they are refused here.
    assert other.evaluate(script, base) == ["rejected"] * 4
    assert store.get("foreign2").state.value == "waiting"
    store.close()
    rebound = page.context.new_page()
    answer = rebound.request.get(f"{base}api/events", headers={"host": "evil.example"})
    assert answer.status == 403


def test_a_browser_without_a_key_is_told_what_to_type(browser: Browser, rig: Live) -> None:
    context = browser.new_context()
    stranger = context.new_page()
    answer = stranger.goto(rig.status()["dashboard"]["url"])
    assert answer is not None
    assert answer.status == 401
    expect(stranger.locator("pre")).to_have_text("pointsman dashboard")
    context.close()


def test_the_stream_goes_on_after_a_break_without_a_gap(browser: Browser, rig: Live) -> None:
    page = signed_in(browser, rig)
    page.goto("/ledger")
    heading = page.locator(".ledger .card h2")
    expect(heading).to_have_text(f"{total(rig)} events")
    page.context.set_offline(True)
    work(rig, "toolu_missed", "echo missed")
    page.context.set_offline(False)
    # The daemon goes, and with it the page's process; the next one takes the same door.
    rig.kill()
    work(rig, "toolu_after", "echo after")
    expect(heading).to_have_text(f"{total(rig)} events")
    expect(page.locator(".trow", has_text="echo missed")).to_have_count(2)
    expect(page.locator(".trow", has_text="echo after")).to_have_count(2)
    page.context.close()


def test_a_browser_that_an_agents_session_has_started_answers_nothing(
    browser: Browser, rig: Live
) -> None:
    # Last of this file: from here on the process that runs these tests is a host that has asked,
    # and lets nobody in any more.
    page = signed_in(browser, rig)
    code, said = ask(rig, "asks_4", "git commit --amend --no-edit", apart=False)
    assert code == 2, said
    page.goto("/alerts")
    asked = page.locator("[data-approval]", has_text="--no-edit")
    asked.get_by_role("button", name="Approve once").click()
    expect(asked).to_contain_text("an agent does not answer them")
    page.context.close()
    settle(rig)
