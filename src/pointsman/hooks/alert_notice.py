"""The enricher that tells whoever sits at a session of alerts: a line of the host's own, once."""

from pointsman.hooks.kit import Kit
from pointsman.model.alerting import Alert
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "alert-notice"
_MOST_WORDS = 240


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher; ``alerts.terminal = false`` turns it off."""
    on = policy.alerts.get("terminal", True) and policy.alerts.get("enabled", True)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        # A subagent's events are nobody's terminal.
        if event.identity.agent_id is not None:
            return None
        news = kit.standing.news(event)
        if not news:
            return None
        lines = [_line(each, event) for each in news]
        return Decision(action=None, notice="\n".join(lines))

    return Hook(
        name=NAME,
        role=Role.ENRICHER,
        run=run,
        events=frozenset({"SessionStart", "UserPromptSubmit", "Stop"}),
        when=lambda _event: bool(on),
    )


def _line(alert: Alert, event: Event) -> str:
    where = "" if alert.session in {"", event.identity.session} else " in another session"
    text = " ".join(alert.summary.split())
    short = text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"
    return (
        f"Pointsman alert {alert.number} ({alert.state}, {alert.detector}, {alert.agent}{where}): "
        f"{short} Next step: pointsman alerts show {alert.number}"
    )
