"""Who types: a person at a terminal, not an agent that answers its own question.

Self-protection stops an agent's shell command that would do that. This is the second look, at
where the command runs: inside a session that has asked, it is refused.
"""

import getpass
import os

from pointsman.model.errors import ApprovalError
from pointsman.model.places import Places
from pointsman.serve.asker import is_inside
from pointsman.serve.insider import refuse_insider
from pointsman.store.approvals import Approvals

_SESSION = "CLAUDE_CODE_SESSION_ID"


def answering(store: Approvals) -> str:
    """Return who answers, for the record: the user and the terminal.

    Raises:
        ApprovalError: this runs inside a session that has put questions itself.
    """
    if is_inside(store, os.getppid(), os.environ.get(_SESSION, "")):
        raise ApprovalError(
            "this runs inside an agent's session that has put questions itself; an agent does "
            "not answer them, and a person not from inside of it",
            fix="type it in a terminal of your own",
        )
    return f"{_user()}, {_terminal()}"


def answering_alert(where: Places) -> str:
    """Return who answers an alert.

    Raises:
        AlertError: this runs inside an agent's session that is on record.
    """
    refuse_insider(where, os.getppid(), os.environ.get(_SESSION, ""))
    return f"{_user()}, {_terminal()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"


def _terminal() -> str:
    try:
        return os.ttyname(0)
    except OSError:
        return "no terminal"
