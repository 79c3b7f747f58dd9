from pathlib import Path

from pointsman.config.merge import merge
from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.settings import parse_settings
from pointsman.model.credential import Credential
from pointsman.model.places import Places

GOOD = b"""
[guards.secrets]
allow = ["1f2e3d4c", "fixtures/**"]
[guards.secrets.rules]
in-prompt = "deny"
github-pat = "ask"
[guards.secret-output]
enabled = false
[guards.credentials.rules]
missing = "deny"
gh = "off"
[[credentials]]
tool = "mcp__x__*"
env = ["A_TOKEN", "B_TOKEN"]
files = ["~/.x"]
any = false
[[credentials]]
command = "pytest*"
env = ["PROD_TOKEN"]
forbidden = true
hint = "Without it."
"""


def test_they_become_a_policy(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path)
    places.user_config.write_bytes(GOOD)
    policy = PolicyLoader(places).policy_for(None)
    assert policy.problems == ()
    assert policy.credentials == (
        Credential(tool="mcp__x__*", env=("A_TOKEN", "B_TOKEN"), files=("~/.x",), any=False),
        Credential(command="pytest*", env=("PROD_TOKEN",), forbidden=True, hint="Without it."),
    )
    assert policy.guards["secrets"]["rules"] == {"in-prompt": "deny", "github-pat": "ask"}


def test_what_is_wrong_is_said() -> None:
    wrong = parse_settings(
        "x", b'[[credentials]]\nenv = ["$A"]\n[guards.secrets.rules]\nx = "warn"\n'
    )
    found = {problem.key: problem.message for problem in wrong.problems}
    assert found["credentials[0].env[0]"] == "it is no name of a variable"
    assert found["guards.secrets.rules.x"] == "it is not known"


def test_a_repository_only_tightens() -> None:
    user = {"credentials": [{"tool": "a"}], "guards": {"secrets": {"allow": ["x"]}}}
    theirs = {
        "credentials": [{"tool": "b"}],
        "guards": {
            "secrets": {"allow": ["y"], "enabled": False, "rules": {"jwt": "off", "npm": "deny"}}
        },
    }
    merged = merge(user, theirs)
    assert [each["tool"] for each in merged.credentials] == ["a", "b"]
    assert merged.guards["secrets"]["allow"] == ["x"]
    assert merged.guards["secrets"]["rules"] == {"npm": "deny"}
    refused = {key for key, _, _ in merged.refused}
    assert refused == {
        ("guards", "secrets", "allow"),
        ("guards", "secrets", "enabled"),
        ("guards", "secrets", "rules", "jwt"),
    }
