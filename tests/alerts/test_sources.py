"""Which events and notes make an alert."""

import ast
import inspect

import pytest

from pointsman import desk
from pointsman.alerts import sources
from pointsman.engine import escalate
from pointsman.model.event import Identity
from pointsman.model.events import ErrorEscalation

WHO = Identity(host="claude-code", session="s", agent_id="a", agent_type="worker")


def escalation(trigger: str, summary: str = "guard 'g' on Stop: no") -> ErrorEscalation:
    return ErrorEscalation(
        identity=WHO, received_ns=5, trigger=trigger, key="k", summary=summary, count=2
    )


@pytest.mark.parametrize("trigger", sources.TRIGGERS)
def test_what_becomes_an_alert(trigger: str) -> None:
    found = sources.of_escalation(escalation(trigger), 7)
    assert found is not None
    finding, lasting = found
    source = sources.TRIGGERS[trigger]
    assert (finding.detector, finding.severity, lasting) == (
        source.detector, source.severity, source.lasting,
    )  # fmt: skip
    assert (finding.key, finding.seqs, finding.at_ns) == ("k", (7,), 5)
    assert finding.session == ("" if source.own else "s")


@pytest.mark.parametrize("trigger", ["tool failed", "denial burst", "what nobody knows"])
def test_what_does_not(trigger: str) -> None:
    assert sources.of_escalation(escalation(trigger)) is None


def test_an_enricher_that_fails_is_left_to_the_detector() -> None:
    assert sources.of_escalation(escalation("hook failed", "enricher 'e' on Stop: no")) is None


def test_every_trigger_there_is_is_known() -> None:
    texts = {
        node.value
        for module in (escalate, desk)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(sources.TRIGGERS) <= texts


def test_notes_of_the_daemon() -> None:
    found = sources.of_note("events lost", "3 events", 5)
    assert found is not None
    assert found[0].summary == "events lost: 3 events"
    assert found[1], "it has happened, and a person has to see it"
    assert sources.of_note("daemon started", "version 1", 5) is None
