"""How a session's context stands: how full it is, and what speaks against going on in it."""

from collections import Counter
from collections.abc import Mapping

from pointsman.model.handoff import Condition, Story
from pointsman.model.watching import ContextLimits, window_of

_AGAINST = {
    "compactions": "it was compacted over and over",
    "same-error": "the same error came again and again",
    "churn": "files went back and forth",
    "no-progress": "nothing new came of its calls",
    "cycle": "it went round in circles",
    "repetition": "it made the same call again and again",
}
"""What the detectors find that says a context is confused, by the detector."""


def condition_of(story: Story, limits: ContextLimits) -> Condition:
    """Return how the main thread's context stands by the end of the story."""
    found = Counter(
        each.rule.removeprefix("watch.")
        for each in story.happenings
        if each.event == "WatchFinding" and each.agent_id is None
    )
    compactions = sum(each.event == "PreCompact" for each in story.happenings)
    window = int(window_of(story.tokens, story.model, limits.window)) if story.tokens else 0
    percent = max(100 * story.tokens / window if window else 0.0, _seen(story))
    reasons = [text for name, text in _AGAINST.items() if found[name]]
    if percent >= limits.handoff:
        reasons.insert(0, f"its context was {percent:.0f} % full")
    return Condition(
        fullest=round(percent, 1),
        tokens=story.tokens,
        window=window,
        compactions=compactions,
        errors=found["same-error"],
        reverts=found["churn"],
        alert=percent >= limits.alert,
        reasons=tuple(reasons),
    )


def _seen(story: Story) -> float:
    """Return the percent at which a detector has found the context, since it was last compacted."""
    percent = 0.0
    for each in story.happenings:
        if each.event == "PreCompact":
            percent = 0.0
        elif each.rule == "watch.context" and each.agent_id is None:
            figures = each.native.get("figures")
            value = figures.get("percent") if isinstance(figures, Mapping) else None
            percent = max(percent, float(value) if isinstance(value, int | float) else 0.0)
    return percent
