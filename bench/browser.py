"""How smooth the dashboard is, in a real browser, while two hundred agents work.

A daemon, Chromium on its page *Now*, and 50 events a second. What counts is what the page itself
says: how long each frame took (``requestAnimationFrame``), and the tasks that held it up for more
than 50 ms. On the page of the ledger, beside it: how long after its answer an event is there.
"""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

from bench.figures import Figure, median, percentile
from bench.rig import Effort, Rig, rig

AGENTS, RATE = 200, 50
_PER_SESSION = 20
_GOAL_FRAME, _GOAL_SEEN = 50.0, 1000.0
"""Milliseconds: 20 frames a second at the 95th percentile; "within a second of the answer"."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FRAMES = """(seconds) => new Promise((done) => {
    const frames = [], long = [];
    const watch = new PerformanceObserver((list) =>
        list.getEntries().forEach((each) => long.push(each.duration)));
    watch.observe({type: "longtask"});
    const began = performance.now();
    let last = began;
    const tick = (now) => {
        frames.push(now - last);
        last = now;
        if (now - began < seconds * 1000) requestAnimationFrame(tick);
        else { watch.disconnect(); done({frames: frames.slice(1), long, ms: now - began}); }
    };
    requestAnimationFrame(tick);
})"""
_SEEN = """() => {
    window.seen = {};
    const look = () => document.querySelectorAll(".trow[data-seq]").forEach((row) => {
        window.seen[row.dataset.seq] ??= Date.now();
    });
    look();
    window.seen = {};
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""


def browser(effort: Effort) -> list[Figure]:
    """Have two hundred agents work and look at the pages meanwhile."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    names = (f"frames at {AGENTS} agents, p95", "event on the page after its answer, p95")
    if program is None:
        why = "Chromium is not installed"
        return [Figure(name=each, what="a real browser", unit="ms", reason=why) for each in names]
    with rig() as made, made.daemon(), _working(made):
        time.sleep(AGENTS / RATE + 2)  # Every lane is there.
        with _page(made, program) as page:
            frames = _frames(page, effort.of(10, 3))
            seen = _seen(made, page, effort.of(10, 3))
    return [
        Figure(
            name=names[0], what="time from frame to frame on the page Now", unit="ms",
            value=percentile(frames["frames"], 0.95), goal=_GOAL_FRAME,
            detail={
                "p50": round(median(frames["frames"]), 1),
                "p99": round(percentile(frames["frames"], 0.99), 1),
                "frames_per_s": round(len(frames["frames"]) / frames["ms"] * 1000, 1),
                "lanes": frames["lanes"],
                "tasks_over_50_ms": len(frames["long"]),
                "longest_task_ms": round(max(frames["long"], default=0.0), 1),
                "share_in_long_tasks": round(sum(frames["long"]) / frames["ms"], 3),
            },
        ),
        Figure(
            name=names[1], what="from the answer to the row in the page", unit="ms",
            value=percentile(seen, 0.95), goal=_GOAL_SEEN,
            detail={"p50": round(median(seen), 1), "events": len(seen)},
        ),
    ]  # fmt: skip


def _frames(page: Any, seconds: int) -> dict[str, Any]:
    page.goto("/now")
    page.wait_for_selector(".lane-name")
    page.wait_for_timeout(2000)
    found: dict[str, Any] = page.evaluate(_FRAMES, seconds)
    found["lanes"] = int(page.locator(".toolbar > .muted").inner_text().split()[0])
    return found


def _seen(made: Rig, page: Any, seconds: int) -> list[float]:
    """Return for each event that came meanwhile how long after its answer its row was there."""
    page.goto("/ledger")
    page.wait_for_selector(".trow[data-seq]")
    page.evaluate(_SEEN)
    page.wait_for_timeout(seconds * 1000)
    seen: dict[str, float] = page.evaluate("window.seen")
    first = min(map(int, seen))
    sql = f"SELECT seq, received_ns + duration_ns FROM events WHERE seq >= {first}"
    answered = {seq: at / 1e6 for seq, at in made.recorded(sql)}
    return [at - answered[int(seq)] for seq, at in seen.items()]


@contextmanager
def _page(made: Rig, program: str) -> Iterator[Any]:
    words = [sys.executable, "-m", "pointsman", "dashboard", "--json"]
    done = subprocess.run(
        words, cwd=made.repository, env=made.environ, capture_output=True, check=True
    )
    given = json.loads(done.stdout)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            context = started.new_context(
                base_url=given["url"], viewport={"width": 1440, "height": 900}
            )
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(given["link"])
            yield page
        finally:
            started.close()


@contextmanager
def _working(made: Rig) -> Iterator[None]:
    """Have the agents call tools, ``RATE`` events a second, until the context ends."""
    over = threading.Event()

    def work() -> None:
        began = time.monotonic()
        for number in range(10**9):
            if over.wait(max(0.0, began + number / RATE - time.monotonic())):
                return
            made.ask(made.frame(_payload(made, number)))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def _payload(made: Rig, number: int) -> bytes:
    """Return the begin of a call of one agent after the other, and in the next round its end."""
    turn, agent = divmod(number, AGENTS)
    value: dict[str, Any] = {
        "hook_event_name": "PostToolUse" if turn % 2 else "PreToolUse",
        "session_id": f"bench-{agent // _PER_SESSION:04d}",
        "cwd": str(made.repository),
        "tool_name": "Read",
        "tool_input": {"file_path": f"{made.repository}/src/{number % 97}.py"},
        "tool_use_id": f"toolu_{turn // 2}_{agent}",
    }
    if turn % 2:
        value["tool_response"] = {"stdout": "ok"}
    if agent % _PER_SESSION:
        value |= {"agent_id": f"a{agent:03d}", "agent_type": f"worker-{agent % 7}"}
    return json.dumps(value).encode()
