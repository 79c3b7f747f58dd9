"""kill -9 of the daemon under load: what was answered is on record, nothing slips by."""

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from .live import COMMAND, FORBIDDEN, Live, alive, until

KILLS, THREADS, EVERY = 10, 4, 5


@dataclass
class Load:
    """Clients of both kinds in several threads; every fifth call must be denied."""

    rigs: tuple[Live, ...]
    stopped: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[str, bool, int, bytes]] = field(default_factory=list)

    def work(self, name: int) -> None:
        rig = self.rigs[name % len(self.rigs)]
        for n in range(10**6):
            if self.stopped.is_set():
                return
            forbidden = n % EVERY == 0
            call = f"{name}-{n}"
            done = rig.call(call, FORBIDDEN) if forbidden else rig.call(call)
            self.answers.append((call, forbidden, done.returncode, done.stderr))


def _kill_once(rig: Live, load: Load) -> bool:
    """Let a few calls through, then kill the daemon; whether there was one to kill."""
    before = len(load.answers)
    until(lambda: len(load.answers) >= before + THREADS * 2, "calls are answered")
    pid = rig.pid()
    if not alive(pid):
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def test_every_answer_is_on_record_and_no_denial_is_lost(rig: Live) -> None:
    native = Live(rig.folder)
    native.client = [str(COMMAND.with_name("pointsman-hook"))]
    load = Load((rig, native))
    threads = [threading.Thread(target=load.work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    kills = 0
    try:
        while kills < KILLS:
            kills += _kill_once(rig, load)
            time.sleep(0.001 * (kills % 5))
    finally:
        load.stopped.set()
        for thread in threads:
            thread.join()
    rig.call("last")
    rows = Counter(row["tool_use_id"] for row in rig.rows())
    passed = [call for call, _, code, _ in load.answers if code == 0]
    assert len(passed) > KILLS
    assert [call for call in passed if not rows[call]] == [], "answered, and not on record"
    for call, forbidden, code, stderr in load.answers:
        assert code in {0, 2}
        assert not (forbidden and code == 0), f"{call} had to be denied"
        assert code == 0 or stderr, f"{call} was stopped without a word"
    stopped = [call for call, forbidden, code, _ in load.answers if code == 2 and not forbidden]
    assert len(stopped) <= len(load.answers) // 10, "a restart is survived, not only failed safely"
    until(lambda: not rig.status()["spooled"], "the spool is taken in")
    rows = Counter(row["tool_use_id"] for row in rig.rows())
    assert [call for call, *_ in load.answers if not rows[call]] == [], "stopped, and not on record"
