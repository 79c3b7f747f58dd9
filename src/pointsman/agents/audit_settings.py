"""Checks of an audit: permissions, modes and switches in the settings."""

import re
from collections.abc import Iterator

from pointsman.agents.audit_input import Inputs, SettingsText, Spot
from pointsman.agents.claude_findings import findings, ignores_file, leads_away, silences, weakens
from pointsman.agents.claude_settings import our_events
from pointsman.model.audit import Level
from pointsman.model.policy import Problem

_NEWEST = (9999,)
"""A client that knows everything: the audit is of the files, `doctor` looks at the client."""

BROAD: tuple[tuple[str, str, Level, str], ...] = (
    (r"\*", "every tool", Level.ERROR, "name the tools"),
    (r"Bash(\((\*|:\*|\* ?\*)\))?", "every shell command", Level.ERROR,
     "name the commands: Bash(npm test), Bash(git status)"),
    (r"Bash\((ssh \S+|(sudo|doas|su|env|xargs|(ba|z|da)?sh|eval|exec|nohup)( -c)?)[ :]*\*\)",
     "every command, through one that runs others", Level.ERROR, "name the whole commands"),
    (r"Bash\((python3?|node|deno|bun|ruby|perl|php|npx|uvx|pnpx|bunx)( -[cemr])?[ :]*\*\)",
     "every program, through an interpreter", Level.ERROR, "name the scripts: Bash(node build.js)"),
    (r"Bash\(git[ :]*\*\)", "every git command, push --force and reset --hard among them",
     Level.WARNING, "name them: Bash(git status), Bash(git diff *)"),
    (r"Bash\(git (push|reset|clean|checkout|restore|rebase|branch|config|stash|rm)[ :]*\*\)",
     "that git command with every option, the destructive ones among them", Level.WARNING,
     "name the options: Bash(git push origin HEAD)"),
    (r"Bash\((npm|pnpm|yarn|pip3?|cargo|make|docker|kubectl|terraform|aws|gcloud|az|gh)[ :]*\*\)",
     "every command of a tool that publishes, installs or deploys", Level.WARNING,
     "name them: Bash(npm test), Bash(docker ps)"),
    (r"Bash\((rm|curl|wget|nc|chmod|chown|dd|find|sed|awk|tee)[ :]*\*\)",
     "every use of a program that writes, deletes or sends anywhere", Level.WARNING,
     "name the arguments"),
    (r"WebFetch(\((domain:)?\*\))?", "every address", Level.WARNING,
     "WebFetch(domain:example.com)"),
    (r"mcp__\*(__\*)?|mcp__\.\*", "every tool of every MCP server", Level.ERROR,
     "name the servers: mcp__notes__*"),
    (r"Read\((/{1,2}(\*\*?)?(/\*\*?)?|~(/\*\*?)?)\)",
     "every file of the machine or the home", Level.WARNING, "Read(./**)"),
    (r"(Write|Edit|MultiEdit|NotebookEdit)\((/{1,2}|~/?)(\*\*?)?(/\*\*?)?\)",
     "a change of every file of the machine or the home", Level.ERROR, "Edit(./src/**)"),
)  # fmt: skip
"""Allow rules that say more than anybody means: pattern, what is allowed, level, what to write."""

_COMPILED = {pattern: re.compile(pattern) for pattern, _, _, _ in BROAD}


def broad_allow(inputs: Inputs) -> Iterator[Spot]:
    """Allow rules that let nearly everything pass unasked."""
    for file in inputs.settings:
        for item in file.items("permissions", "allow"):
            rule = item.value.data
            if not isinstance(rule, str):
                continue
            for pattern, allowed, level, fix in BROAD:
                if _COMPILED[pattern].fullmatch(" ".join(rule.split())):
                    what = f"the allow rule {rule!r} lets pass {allowed}"
                    yield Spot(file.name, file.line(item), what, fix, level)
                    break


def bypass_mode(inputs: Inputs) -> Iterator[Spot]:
    """A default mode that asks nobody."""
    for file in inputs.settings:
        mode = file.member("permissions", "defaultMode")
        if mode is None or mode.value.data != "bypassPermissions":
            continue
        # Where our guards stand in front of every call, it is a choice that can be defended.
        level = Level.WARNING if guarded(inputs) else Level.ERROR
        what = "permissions.defaultMode is bypassPermissions: nobody is ever asked"
        yield Spot(file.name, file.line(mode), what, 'write "default" or "acceptEdits"', level)
    for agent in inputs.agents:
        if agent.mode == "bypassPermissions":
            what = f"the agent {agent.name!r} runs in bypassPermissions: nobody is ever asked"
            level = Level.WARNING if guarded(inputs) else Level.ERROR
            yield Spot(agent.file, agent.line, what, "take permissionMode out", level)


def all_project_servers(inputs: Inputs) -> Iterator[Spot]:
    """MCP servers of any repository, without a look."""
    for file in inputs.settings:
        switch = file.member("enableAllProjectMcpServers")
        if switch is not None and switch.value.data is True:
            what = "enableAllProjectMcpServers starts whatever server a repository names"
            fix = 'take it out, and name servers in "enabledMcpjsonServers"'
            yield Spot(file.name, file.line(switch), what, fix)


def guarded(inputs: Inputs) -> bool:
    """Whether our guard on calls is registered in any scope, and hooks are on."""
    off = any(_is_on(file, "disableAllHooks") for file in inputs.settings)
    ours = any("PreToolUse" in our_events(file.root.data) for file in inputs.settings)
    return ours and not off


def _is_on(file: SettingsText, key: str) -> bool:
    found = file.member(key)
    return found is not None and found.value.data is True


# --- what `init` and `doctor` find, too -----------------------------------------------------------


def _problems(inputs: Inputs) -> tuple[Problem, ...]:
    return findings(inputs.texts, _NEWEST)


def _spot(problem: Problem) -> Spot:
    key = f"{problem.key} = {problem.value}" if problem.value else problem.key
    what = f"{key}: {problem.message}" if key else problem.message
    return Spot(problem.file, max(problem.line, 1), what, problem.fix)


def hooks_off(inputs: Inputs) -> Iterator[Spot]:
    """Switches that turn hooks off."""
    switches = {"disableAllHooks", "allowManagedHooksOnly"}
    problems = (each for each in _problems(inputs) if each.key in switches)
    yield from (_spot(each) for each in problems if not ignores_file(each))


def leads_elsewhere(inputs: Inputs) -> Iterator[Spot]:
    """Variables that lead our client, its daemon or the API elsewhere."""
    yield from (_spot(each) for each in _problems(inputs) if leads_away(each))
    for file in inputs.settings:
        for member in file.items("env"):
            if str(member.key) in {"ANTHROPIC_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}:
                what = f"env.{member.key} sends every prompt, and all that is read, elsewhere"
                fix = "take it out, unless that place is meant"
                yield Spot(file.name, file.line(member), what, fix, Level.WARNING)


def settings_ignored(inputs: Inputs) -> Iterator[Spot]:
    """Files of which the client takes no notice."""
    yield from (_spot(each) for each in _problems(inputs) if ignores_file(each))


def event_silenced(inputs: Inputs) -> Iterator[Spot]:
    """Faults in one hook that silence every hook of its event."""
    yield from (_spot(each) for each in _problems(inputs) if silences(each))


def guard_weakened(inputs: Inputs) -> Iterator[Spot]:
    """Entries of ours that say less than ``init`` writes."""
    yield from (_spot(each) for each in _problems(inputs) if weakens(each))


def bad_matchers(inputs: Inputs) -> Iterator[Spot]:
    """Matchers that the settings check already knows to match nothing."""
    for each in _problems(inputs):
        if each.key.endswith(".matcher") and not silences(each) and not ignores_file(each):
            yield _spot(each)
