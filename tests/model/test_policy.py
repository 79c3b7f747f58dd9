"""What the settings amount to."""

from pointsman.model.budget import OTHER_EVENTS
from pointsman.model.policy import Policy, Problem


def test_a_budget_by_kind() -> None:
    policy = Policy()
    assert policy.budget("PreEdit") == 15.0
    assert policy.budget("Notification") == OTHER_EVENTS
    assert Policy(budgets={"Notification": 1.0}).budget("Notification") == 1.0


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem(
        file="config.toml", line=3, key="budgets.PreEdit", value="99",
        message="it is out of bounds", fix="write a number of at most 20",
    )  # fmt: skip
    assert str(problem) == (
        "config.toml:3: budgets.PreEdit = 99: it is out of bounds; write a number of at most 20"
    )
