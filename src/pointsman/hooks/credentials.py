"""The guard that tells which credential a tool lacks, or has and must not, before it runs.

What it knows are names: of the variables of the host's process, which the client sends, and of
files. A value is never looked at. Where it cannot be known it has no opinion.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from pointsman.hooks.credential_table import BY_PROGRAM, Need
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.credential import Credential
from pointsman.model.decision import Action, Decision, inject
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Analysis, Invocation

NAME = "credentials"
MISSING, FORBIDDEN = "credential.missing", "credential.forbidden"
_SAME_ENVIRONMENT = frozenset(
    {"bash", "sh", "zsh", "dash", "timeout", "nice", "nohup", "stdbuf", "time", "setsid", "exec"}
    | {"command", "xargs", "npx", "env"}
)
"""Programs whose children have the environment that they have themselves."""
_BRINGS = frozenset(
    {"source", ".", "eval", "export", "declare", "read", "op", "doppler", "aws-vault", "direnv"}
    | {"dotenv", "infisical", "chamber", "envchain", "vault", "pass", "sops", "secret-tool", "env"}
)
"""Programs before which nobody can say what the environment of the next one holds."""
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_DECLARED = re.compile(r"(?:^|[\s;&|({])(?:export|declare|typeset|readonly|set)\s")
_PROGRAMS = re.compile("|".join(map(re.escape, BY_PROGRAM)), re.IGNORECASE)
_VENDOR = Path("/sys/class/dmi/id/sys_vendor")
_CLOUDS = ("amazon", "google", "microsoft", "openstack", "alibaba", "digitalocean", "oracle")

Has = Callable[[str], bool]


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard with this policy's declarations."""
    rules: Mapping[str, str] = policy.guards.get(NAME, {}).get("rules", {})
    home = str(kit.places.config.parent.parent)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        if not isinstance(event, PreToolUse):
            return None
        # As the other guards have it, which ask for the same analysis.
        return _Call(event, os.environ.get("HOME", home), rules).judge(policy.credentials)

    return Hook(name=NAME, role=Role.GUARD, run=run, events=frozenset({"PreToolUse"}))


class _Call:
    """One call, and what is known of where it runs."""

    def __init__(self, event: PreToolUse, home: str, rules: Mapping[str, str]) -> None:
        self._event = event
        self._home = home
        self._rules = rules
        self._names = frozenset(event.environment.split(",")) - {""}

    def judge(self, declared: Iterable[Credential]) -> Decision | None:
        """Decide: what is forbidden first, then what is missing, a declaration before the table."""
        declared = tuple(declared)
        analysis = self._analysis() if self._may_concern(declared) else None
        invocations = analysis.invocations if analysis else ()
        fitting = [each for each in declared if self._fits(each, invocations)]
        for each in sorted(fitting, key=lambda each: not each.forbidden):
            decision = self._forbidden(each) if each.forbidden else self._lacks(each, analysis)
            if decision is not None:
                return decision
        if fitting or analysis is None or not self._names or self._is_supplied(analysis):
            return None
        return next((told for told in map(self._shipped, invocations) if told), None)

    def _may_concern(self, declared: tuple[Credential, ...]) -> bool:
        """Whether a command is worth taking apart: most name no program that needs anything."""
        command = self._event.tool_input.get("command")
        return isinstance(command, str) and (
            any(each.command for each in declared) or _PROGRAMS.search(command) is not None
        )

    def _analysis(self) -> Analysis | None:
        command = self._event.tool_input.get("command")
        if self._event.tool_name not in SHELL_TOOLS or not isinstance(command, str):
            return None
        return analyse(command, cwd=self._event.identity.cwd or "/", home=self._home)

    def _fits(self, each: Credential, invocations: Iterable[Invocation]) -> bool:
        if each.tool:
            return fnmatchcase(self._event.tool_name, each.tool)
        return any(fnmatchcase(line, each.command) for line in _lines(invocations))

    def _lacks(self, each: Credential, analysis: Analysis | None) -> Decision | None:
        # Files alone can be looked for whatever the client has sent.
        if each.env and (not self._names or (analysis and self._is_supplied(analysis))):
            return None
        lacking = [name for name in each.env if name not in self._names]
        absent = [name for name in each.files if not self._exists(name)]
        there = len(each.env) + len(each.files) - len(lacking) - len(absent)
        if (each.any and there) or not (lacking or absent):
            return None
        joined = " or " if each.any else " and "
        what = joined.join([*(f"the variable {name}" for name in lacking),
                            *(f"the file {name}" for name in absent)])  # fmt: skip
        return self._told(
            "missing", Action.DENY,
            f"{each.tool or each.command} needs a credential that is not there: {what}. "
            f"{each.hint or _HOW}",
        )  # fmt: skip

    def _forbidden(self, each: Credential) -> Decision | None:
        there = [f"the variable {name}" for name in each.env if name in self._names]
        there += [f"the file {name}" for name in each.files if self._exists(name)]
        if not there:
            return None
        return self._told(
            "forbidden", Action.DENY,
            f"{each.tool or each.command} must not run where there is {' and '.join(there)}. "
            f"{each.hint or 'A person starts the agent without it.'}",
        )  # fmt: skip

    def _shipped(self, each: Invocation) -> Decision | None:
        need = BY_PROGRAM.get(each.program)
        if need is None or self._rules.get(each.program) == "off" or not _asks(need, each):
            return None
        if any(name in self._names for name in (*need.env, *need.elsewhere)):
            return None
        files = [name.replace("@", " ") for name in need.files]
        if any(map(self._exists, files)) or (need.ambient and _is_cloud()):
            return None
        what = [f"the variable {name}" for name in need.env[:3]]
        what += [f"the file {name}" for name in files[:2]]
        reason = (
            f"{each.program} needs a credential, and none is there: neither {' nor '.join(what)}. "
            f"A person types: {need.login}; or sets the variable before the agent is started."
        )
        return self._told("missing", None, reason, each.program)

    def _told(
        self, rule: str, default: Action | None, reason: str, name: str = ""
    ) -> Decision | None:
        said = self._rules.get(name) or self._rules.get(rule)
        if said == "off":
            return None
        action = Action(said) if said else default
        if action is None:
            return inject(f"Pointsman: {reason}", rule=f"credential.{rule}")
        return Decision(action=action, reason=reason, rule=f"credential.{rule}")

    def _exists(self, name: str) -> bool:
        home = Path(self._home)
        path = home / name[2:] if name.startswith("~/") else Path(name)
        try:
            return (Path(self._event.identity.cwd or "/") / path).exists()
        except (OSError, ValueError):
            # What cannot be looked up may be there.
            return True

    def _is_supplied(self, analysis: Analysis) -> bool:
        """Whether the command itself may bring a credential, where nobody can look."""
        if analysis.unverified or _DECLARED.search(str(self._event.tool_input.get("command"))):
            return True
        return any(
            each.program in _BRINGS or _ASSIGNED.match(each.text.lstrip())
            for each in analysis.invocations
        )


_HOW = "A person sets it where the agent is started, or puts the file there."


def _lines(invocations: Iterable[Invocation]) -> Iterator[str]:
    """Yield each simple command as its words, the program by its bare name."""
    for each in invocations:
        yield " ".join((each.program, *each.argv[1:]))


def _asks(need: Need, each: Invocation) -> bool:
    """Whether this call of a program needs to be let in, and says nothing of how."""
    words = each.argv[1:]
    if not set(each.via) <= _SAME_ENVIRONMENT or any(UNKNOWN in word for word in words):
        return False
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    if options & {"--help", "-h", "--version"} or options & set(need.given):
        return False
    verbs = [word for word in words if not word.startswith("-")]
    if need.verbs:
        return any(word in need.verbs for word in verbs[:2])
    return bool(verbs) and not any(word in need.free for word in verbs[:2])


@lru_cache(maxsize=1)
def _is_cloud() -> bool:
    try:
        vendor = _VENDOR.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    return any(name in vendor for name in _CLOUDS)
