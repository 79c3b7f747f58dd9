"""Headless Chromium on the dashboard of a real daemon."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import pointsman
from serve.live import Live

REQUIRE = "POINTSMAN_REQUIRE_HOSTS"
"""With this variable set to 1 a browser that cannot be had fails the tests that need it."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PAGES = Path(pointsman.__file__).parent / "web/static/index.html"


def unavailable(why: str) -> NoReturn:
    """Skip the test that asks, or fail it where browsers are required."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{why} ({REQUIRE}=1)", pytrace=False)
    pytest.skip(why)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, where there is one and pages to show it."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        unavailable("Chromium is not installed: apt-get install chromium")
    if not _PAGES.is_file():
        unavailable("the dashboard's pages were not built: install Node.js with npm, then: make")
    with sync_playwright() as playwright:
        # As root, as CI is, it starts only without its own sandbox; it sees our own pages alone.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, rig: Live, scheme: str = "dark") -> Page:
    """Open the dashboard by its link, as a person does; errors of the page fail the test."""
    done = rig.command("dashboard", "--json")
    assert done.returncode == 0, done.stderr
    given = json.loads(done.stdout)
    context = browser.new_context(
        base_url=given["url"], viewport={"width": 1440, "height": 860},
        color_scheme="light" if scheme == "light" else "dark",
    )  # fmt: skip
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(given["link"])
    return page
