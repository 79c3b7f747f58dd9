import os
import subprocess
import uuid

from .processes import MARK, end_marked, marked


def _sleeper(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: mark})


def test_ends_what_carries_the_mark_and_nothing_else() -> None:
    mark = uuid.uuid4().hex
    with _sleeper(f"{mark}-one") as one, _sleeper(f"{mark}-two") as two:
        try:
            assert marked(mark) == sorted([one.pid, two.pid])
            end_marked(f"{mark}-one")
            assert one.wait() == -9
            assert marked(mark) == [two.pid]
        finally:
            end_marked(mark)
    assert marked(mark) == []
