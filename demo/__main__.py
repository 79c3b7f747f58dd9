"""`make demo`: a recorded session through the real client and the real daemon."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demo import sample
from demo.show import Show
from pointsman.paths.client_command import client_command

SESSION = Path(__file__).with_name("session.jsonl")


def main() -> int:
    """Run the demo that was asked for."""
    if "--claude" in sys.argv:
        from demo.claude import run

        return run(SESSION if "--record" in sys.argv else None)
    with tempfile.TemporaryDirectory(prefix="pointsman-demo-") as folder:
        return _replay(Path(folder))


def _replay(folder: Path) -> int:
    repo, home = folder / "sample", folder / "home"
    repo.mkdir()
    home.mkdir()
    state = folder / "state"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "POINTSMAN_STATE_DIR": str(state),
        "CLAUDE_PROJECT_DIR": str(repo),
    }
    sample.make(repo)
    client = client_command()
    print(f"A sample repository with two agents, each with a contract: {repo}")
    print(f"The client: {' '.join(client.argv)} ({'native' if client.native else 'Python'})\n")
    pointsman = [sys.executable, "-m", "pointsman"]
    subprocess.run([*pointsman, "trust"], cwd=repo, env=environ, check=True)
    print("\nA recorded session of Claude Code, event by event:\n")
    show = Show(state / "ledger.db")
    try:
        for line in SESSION.read_text(encoding="utf-8").splitlines():
            payload = line.replace("/demo/", f"{folder}/")
            event = json.loads(payload)["hook_event_name"]
            argv = [*client.argv, "claude-code", event]
            given = payload.encode()
            subprocess.run(
                argv, input=given, cwd=repo, env=environ, capture_output=True, check=False
            )
            show.catch_up()
        show.summary()
    finally:
        subprocess.run(
            [*pointsman, "down", "--force"], env=environ, capture_output=True, check=False
        )
    print(
        "\nNext step, in a repository of yours:"
        "\n  .venv/bin/pointsman init && .venv/bin/pointsman doctor"
    )
    return 0


sys.exit(main())
