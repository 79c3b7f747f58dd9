"""A person stops a looping agent on the page of alerts, and lets it go on."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from serve.live import Live, live

from .browser import chromium, signed_in

expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def rig(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("alerts")) as started:
        yield started


def test_an_alert_is_answered_and_an_agent_stopped(browser: Browser, rig: Live) -> None:
    for call in range(5):
        assert rig.call(f"t{call}").returncode == 0
    page = signed_in(browser, rig)
    page.goto("alerts")
    card = page.locator("[data-alert]").first
    expect(card).to_contain_text("repetition: main")
    card.get_by_label("A word about alert").fill("it runs in circles")
    card.get_by_role("button", name="Stop the session").click()
    expect(page.locator("[data-stop=live]")).to_contain_text("it runs in circles")
    stopped = rig.call("t9")
    assert stopped.returncode == 2
    assert json.loads(stopped.stdout)["continue"] is False
    assert b"dashboard has stopped this session: it runs in circles" in stopped.stderr
    page.locator("[data-stop=live]").get_by_role("button", name="Let it go on").click()
    expect(page.locator("[data-stop]")).to_have_count(0)
    assert rig.call("t10").returncode == 0
    number = card.get_attribute("data-alert")
    card = page.locator(f"[data-alert='{number}']")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_contain_text("acknowledged")
    card.get_by_role("button", name="It is over").click()
    expect(card).to_have_count(0)
    assert number is not None
    shown = json.loads(rig.command("alerts", "show", number, "--json").stdout)
    assert [each["after"] for each in shown["history"]] == [
        "warning", "acknowledged", "recovered",
    ]  # fmt: skip
    page.context.close()
