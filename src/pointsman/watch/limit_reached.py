"""A limit of tokens, money, calls or minutes that is reached, as the guard of limits says it."""

from pointsman.model.alert import Severity
from pointsman.model.decision import Action
from pointsman.watch.detector import Detector, Seen, Sight

_RULES = "limit."


class LimitReached(Detector):
    """Finds what the guard has said of a limit: a warning, or a call that was stopped."""

    def event(self, seen: Seen) -> Sight | None:
        """Look for the guard's word among the hooks of an event."""
        for run in seen.runs:
            said = run.decision
            if said is None or not said.rule.startswith(_RULES):
                continue
            stops = said.action is Action.DENY
            return Sight(
                key=said.rule,
                severity=Severity.CRITICAL if stops else Severity.WARNING,
                summary=(said.reason or said.context)[:500],
                figures={"rule": said.rule, "action": said.action or "warn"},
                seqs=(seen.seq,),
            )
        return None
