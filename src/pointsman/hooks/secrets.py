"""The guard that stops secrets in commands, in what is added to files, in prompts and in calls.

What it says names kind, place and mark of a secret, never the secret.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pointsman.hooks.added import Added, added_texts, strings
from pointsman.hooks.kit import Kit
from pointsman.hooks.shell_writes import SHELL_TOOLS
from pointsman.model.decision import Action, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import PreEdit, PreToolUse, UserPromptSubmit
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.secret import Secret, Secrets
from pointsman.model.team import SPAWNING_TOOLS
from pointsman.paths.globs import Globs
from pointsman.shell.analyse import analyse

NAME = "secrets"
IN_COMMAND, IN_FILE, IN_PROMPT = "secret.in-command", "secret.in-file", "secret.in-prompt"
IN_CALL, MARK_IN_FILE = "secret.in-call", "secret.mark-in-file"
_SENDING = frozenset({"WebFetch", "WebSearch", "SendMessage", "RemoteTrigger"})
"""Tools that give their input away, beside those of MCP servers."""
_SHORTEST = 16
"""Characters of a word, below which it cannot hold a secret with a form of its own."""
_HASH = re.compile(r"[0-9a-f]{8}")
_MARK = re.compile(r"\[redacted:[a-z0-9-]+:[0-9a-f]{8}\]")
_MOST_REMEMBERED = 512
_LONGEST_REMEMBERED = 2048
_MOST_SHOWN = 5
_LOCKED = re.compile(
    r"(?:^|/)(?:[^/]*\.lock|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum"
    r"|gradle\.lockfile|packages\.lock\.json|Package\.resolved|flake\.lock)\Z"
)
"""Files of hashes that a program writes."""
_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|fixtures?|testdata|mocks?|__mocks__|examples?)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:test|tests|spec|mock|fixture)s?\.[^/]+)\Z"
    r"|\.(?:example|sample|template|dist|md|rst)\Z",
    re.IGNORECASE,
)
"""Files in which a value is called password to show that something works."""

_INSTEAD = {
    IN_COMMAND: (
        "Whoever sees the transcript, the history or the list of processes can read it. Name a "
        "variable instead (such as $GITHUB_TOKEN), or have a secret store print it"
    ),
    IN_FILE: (
        "Whoever gets the file gets the secret. Read it from the environment or a secret store, "
        "and write its name"
    ),
    IN_PROMPT: "It has gone to the model's service with the prompt once it is sent",
    IN_CALL: (
        "Whoever is called gets the secret. Leave it out; what needs it reads it from its own "
        "environment or a secret store"
    ),
}


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard with this policy's rules and exceptions."""
    guard = _Guard(policy, kit.secrets)

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        judge = _JUDGES.get(type(event))
        return judge(guard, event) if judge else None

    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=run,
        events=frozenset({"PreToolUse", "PreEdit", "UserPromptSubmit"}),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A secret in a text, with the words that say where."""

    secret: Secret
    where: str


class _Guard:
    """The rules in force, and who finds."""

    def __init__(self, policy: Policy, secrets: Secrets) -> None:
        table: Mapping[str, Any] = policy.guards.get(NAME, {})
        allowed = tuple(table.get("allow", ()))
        self._rules: Mapping[str, str] = table.get("rules", {})
        self._hashes = frozenset(each for each in allowed if _HASH.fullmatch(each))
        self._paths = Globs(each for each in allowed if not _HASH.fullmatch(each))
        self._policy = policy
        self._secrets = secrets
        # Agents say the same few commands over and over.
        self._command = lru_cache(maxsize=_MOST_REMEMBERED)(self._judge_command)

    def call(self, event: PreToolUse) -> Decision | None:
        """Decide about a call: a shell command, the start of an agent, what is sent elsewhere."""
        if event.tool_name in SPAWNING_TOOLS:
            return self._started(event)
        if event.tool_name in _SENDING or event.tool_name.startswith("mcp__"):
            return self._sent(event)
        command = event.tool_input.get("command") if event.tool_name in SHELL_TOOLS else None
        if not isinstance(command, str):
            return None
        cwd = event.identity.cwd or "/"
        short = len(command) <= _LONGEST_REMEMBERED
        return self._command(command, cwd) if short else self._judge_command(command, cwd)

    def _judge_command(self, command: str, cwd: str) -> Decision | None:
        """Decide about a command; a here-document in it is part of it."""
        seen = [_Seen(each, "the command holds") for each in self._secrets.find(command)]
        glued = "\n".join(_glued(command, cwd))
        seen += [
            _Seen(each, "the command puts together")
            for each in (self._secrets.find(glued) if glued else ())
            if each.sure
        ]
        return self._decide(IN_COMMAND, seen)

    def _started(self, event: PreToolUse) -> Decision | None:
        """Decide about what an agent is told: the model has it, and need not pass it on."""
        text = "\n".join(strings(event.tool_input))
        seen = [
            _Seen(each, "the prompt of the agent holds")
            for each in self._secrets.find(text)
            if each.sure
        ]
        return self._decide(IN_PROMPT, seen, "deny", _INSTEAD[IN_COMMAND])

    def _sent(self, event: PreToolUse) -> Decision | None:
        text = "\n".join(strings(event.tool_input))
        where = f"the input of {event.tool_name} holds"
        seen = [_Seen(each, where) for each in self._secrets.find(text) if each.sure]
        return self._decide(IN_CALL, seen)

    def edit(self, event: PreEdit) -> Decision | None:
        """Decide about what a call adds to files."""
        seen: list[_Seen] = []
        for added in added_texts(event, self._policy):
            if _is_allowed(self._paths, added.path, event):
                continue
            decision = self._of_marks(added)
            if decision is not None:
                return decision
            seen += self._new(added)
        return self._decide(IN_FILE, seen)

    def prompt(self, event: UserPromptSubmit) -> Decision | None:
        """Decide about a prompt: refuse it, or say what is in it and let it go."""
        found = self._secrets.find(event.prompt)
        seen = [_Seen(each, f"{_line(event.prompt, each)} of the prompt holds") for each in found]
        decision = self._decide(IN_PROMPT, seen)
        if decision is None or decision.action is Action.DENY:
            return decision
        context = (
            f"Pointsman: {decision.reason} Do not repeat it, put it into no command and no file; "
            "tell the person that it should be replaced."
        )
        notice = f"Pointsman: {decision.reason} Better replace it."
        return Decision(action=None, rule=IN_PROMPT, context=context, notice=notice)

    def _of_marks(self, added: Added) -> Decision | None:
        """Stop a mark that would take the place of the secret it stands for."""
        marks = set(_MARK.findall(added.text)) - set(_MARK.findall(added.before))
        if not marks:
            return None
        hit = next((each for each in self._secrets.find(added.before) if each.mark in marks), None)
        if hit is None:
            return None
        reason = (
            f"{added.path} has a {hit.kind} where the new text has {hit.mark}, which only stands "
            "for it: the secret would be gone. Edit the other lines, and leave that one as it is."
        )
        return deny(reason, rule=MARK_IN_FILE)

    def _new(self, added: Added) -> Iterator[_Seen]:
        lenient = _LOCKED.search(added.path) or _TEST.search(added.path)
        for each in self._secrets.find(added.text):
            if added.text[each.start : each.end] in added.before or (lenient and not each.sure):
                continue
            yield _Seen(each, f"{_line(added.text, each, added.line)} of {added.path} would hold")

    def _decide(
        self, rule: str, seen: Iterable[_Seen], default: str = "", instead: str = ""
    ) -> Decision | None:
        judged = [
            (action, each)
            for each in seen
            if not each.secret.placeholder and each.secret.hash not in self._hashes
            for action in (self._action(rule, each.secret, default),)
            if action != "off"
        ]
        if not judged:
            return None
        strictest = Action.DENY if any(action == "deny" for action, _ in judged) else Action.ASK
        told = [each for action, each in judged if Action(action) is strictest]
        return Decision(action=strictest, reason=_reason(rule, told, instead), rule=rule)

    def _action(self, rule: str, secret: Secret, default: str) -> str:
        default = default or ("deny" if secret.sure and rule != IN_PROMPT else "ask")
        place = self._rules.get(rule.removeprefix("secret."), default)
        return self._rules.get(secret.kind, place)


_JUDGES: Mapping[type[Event], Callable[[_Guard, Any], Decision | None]] = {
    PreToolUse: _Guard.call,
    PreEdit: _Guard.edit,
    UserPromptSubmit: _Guard.prompt,
}


def _glued(command: str, cwd: str) -> Iterator[str]:
    """Yield the words that the shell makes of a command and that do not stand in it as such."""
    if "\\\n" in command:
        yield command.replace("\\\n", "")
    for each in analyse(command, cwd=cwd, home=os.environ.get("HOME", "/")).invocations:
        for word in (*each.argv, each.stdin or ""):
            if len(word) >= _SHORTEST and word not in command:
                yield word


def _reason(rule: str, told: list[_Seen], instead: str) -> str:
    parts = list(dict.fromkeys(f"{each.where} a {each.secret.kind}" for each in told))
    more = f", and {len(parts) - _MOST_SHOWN} more" if len(parts) > _MOST_SHOWN else ""
    first = told[0].secret
    pass_it = (
        ""
        if rule == IN_PROMPT and not instead
        else (
            f' If it is none, a person lets it pass: allow = ["{first.hash}"] under '
            f"[guards.{NAME}] in their own config.toml."
        )
    )
    return f"{', '.join(parts[:_MOST_SHOWN])}{more}. {instead or _INSTEAD[rule]}.{pass_it}"


def _line(text: str, secret: Secret, first: int = 1) -> str:
    if not first:
        return "the text"
    return f"line {first + text.count(chr(10), 0, secret.start)}"


def _is_allowed(globs: Globs, path: str, event: Event) -> bool:
    root = event.identity.repository or event.identity.cwd
    relative = path.removeprefix(f"{root}/")
    return bool(globs.match(relative) or globs.match_absolute(path))
