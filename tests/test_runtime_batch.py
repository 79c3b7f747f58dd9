"""What is in force is looked up once for requests that came together, and again for the next."""

import json
from pathlib import Path

from pointsman.assembly import Setup, Setups
from pointsman.case import Delivery
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.runtime import Runtime


class CountingPolicies:
    """The real policies, and which of them were asked for."""

    def __init__(self, places: Places) -> None:
        self.asked: list[str | None] = []
        self._loader = PolicyLoader(places)

    def policy_for(self, repository: str | None) -> Policy:
        self.asked.append(repository)
        return self._loader.policy_for(repository)


def delivery(root: Path) -> Delivery:
    event = {"hook_event_name": "PreToolUse", "cwd": str(root), "session_id": "s"}
    call = {"tool_name": "Bash", "tool_input": {"command": "git reset --hard"}}
    payload = json.dumps(event | call).encode()
    return Delivery(host="claude-code", event="PreToolUse", payload=payload, cwd=str(root))


def test_once_a_batch_for_each_repository(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("one", "two")]
    for root in roots:
        (root / ".git").mkdir(parents=True)
    places = Places(tmp_path / "state", tmp_path / "config")
    policies = CountingPolicies(places)
    runtime = Runtime(Setups(policies, places), None)
    seen: dict[str | None, Setup] = {}
    for root in (*roots, *roots):
        case = runtime.open(delivery(root), seen)
        assert case.event.identity.repository == str(root)
        assert runtime.finish_at_once(case).decision.rule == "command.git-reset-hard"
    assert policies.asked == [str(root) for root in roots]
    runtime.open(delivery(roots[0]), {})
    runtime.open(delivery(roots[0]))
    runtime.open(delivery(roots[0]))
    assert policies.asked[2:] == [str(roots[0])] * 3
