"""`make demo-claude`: the same session with the real Claude Code and a scripted model."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demo import sample
from demo.script import turns
from demo.show import Show
from pointsman.store import query

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "Bring the program up to date. SCRIPT=main"


def run(record_to: Path | None) -> int:
    """Run the session; with a file, keep its events there for `make demo`."""
    sys.path.insert(0, str(ROOT / "tests"))
    from host.install import claude_code  # type: ignore[import-not-found]
    from host.messages_api import MessagesApi, ToolUse  # type: ignore[import-not-found]
    from host.session import Claude  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory(prefix="pointsman-demo-") as folder, MessagesApi() as api:
        repo = Path(folder, "sample")
        repo.mkdir()
        for name, script in turns(repo).items():
            api.script(name, *[[ToolUse(tool, given) for tool, given in turn] for turn in script])
        with Claude(repo, Path(folder, "home"), api, claude_code()) as claude:
            state = Path(folder, "state")
            sample.make(repo)
            environ = claude.environment({"POINTSMAN_STATE_DIR": str(state)})
            environ["PATH"] = f"{claude.binary.parent}:{os.environ['PATH']}"
            for words in (("trust",), ("init",)):
                command = [sys.executable, "-m", "pointsman", *words]
                subprocess.run(command, cwd=repo, env=environ, check=True)
            show = Show(state / "ledger.db")
            try:
                session = claude.start(PROMPT, env={"POINTSMAN_STATE_DIR": str(state)})
                with session:
                    show.follow(lambda: session._process.poll() is not None)
                    session.finish()
                show.summary()
                if record_to is not None:
                    _record(state / "ledger.db", folder, record_to)
            finally:
                down = [sys.executable, "-m", "pointsman", "down", "--force"]
                subprocess.run(down, cwd=repo, env=environ, check=False, capture_output=True)
    return 0


def _record(ledger: Path, folder: str, to: Path) -> None:
    """Write the session's payloads as JSON lines, with the folder's name taken out."""
    slug = folder.replace("/", "-")
    with to.open("w", encoding="utf-8") as out:
        for row in query.query(ledger, query.Filter()):
            payload = query.payload(ledger, row["seq"])
            if row["transport"] == "hook" and payload and row["event"] != "MessageDisplay":
                text = payload.decode().replace(folder, "/demo").replace(slug, "-demo")
                out.write(json.dumps(json.loads(text), separators=(",", ":")) + "\n")
