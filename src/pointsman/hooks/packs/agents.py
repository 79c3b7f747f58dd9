"""Agent configuration: what holds a coding agent back, of whichever maker."""

import fnmatch
import re
from functools import lru_cache

from pointsman.hooks.packs.calls import Given, names
from pointsman.hooks.packs.places import USER, shown
from pointsman.hooks.packs.secret_paths import NAME_ONLY, READERS
from pointsman.hooks.rule import Call, Deed, Flow, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import CHANGES, Analysis, Effect, Invocation
from pointsman.shell.escapes import unescape
from pointsman.shell.interpreters import code_of
from pointsman.shell.programs import plain_words
from pointsman.shell.state import resolve

_AGENTS = names(
    "claude codex gemini cursor cursor-agent windsurf codeium copilot aider continue cline roo"
    " kilocode opencode amp goose qwen factory droid kiro kiro-cli devin antigravity openclaw"
    " hermes pi augment auggie junie openhands crush trae warp amazonq q plandex forge"
)
"""Coding agents, by the name of the program or of the directory in a home."""
_GUARDS = names(
    "nah dcg cc-safety-net safety-net openmoat moat hol-guard cupcake sondera seatbelt tdd-guard"
    " leash openshell hookify agentbelay belay bashgate sh-guard azet-guard damage-control"
    " claude-safety-guard security-guidance hooks-daemon agentguard agent-guard prismor leashd"
    " invariant lakera llamafirewall nemo-guardrails destructive_command_guard pointsman"
    " claudekit clooks paveo"
)
"""Programs that judge what an agent does."""
_DOT_NAMES = tuple(f".{name}" for name in sorted(_AGENTS | _GUARDS - {"pointsman"}))
_GUARD_PATH = re.compile(
    r"(?:^|/)(?:\.(?:config|local/share|local/state)/|\.)(?:"
    + "|".join(sorted(map(re.escape, _GUARDS - {"pointsman"})))
    + r")(?=[/.\"']|\Z)"
)
_CONFIG = (
    r"(?:settings|config|configuration|preferences|permissions?|polic(?:y|ies)|rules|trust\w*"
    r"|hooks?"
    r"|plugins?|extensions?|guards?|sandbox|mcp\w*|managed\w*|requirements|auth\w*|allow\w*"
    r"|deny\w*)"
)
_AGENT_PATH = re.compile(
    r"(?:^|/)(?:\.config/|\.|Library/Application Support/)(?:"
    + "|".join(sorted(map(re.escape, _AGENTS - {"continue", "q", "forge", "warp", "factory"})))
    + rf")(?:/\Z|\Z|/(?:[^/]+/)?{_CONFIG}[\w.-]*\.(?:json[c5]?|toml|ya?ml|js|ts|py|sh|db)\Z"
    + r"|/(?:hooks|plugins|extensions)(?:/|\Z))"
    + r"|/(?:etc|Library/Application Support)/(?:claude-code|ClaudeCode|codex|gemini-cli"
    r"|cursor)(?:/|\Z)"
    + r"|(?:^|/)\.(?:mcp\.json|claude\.json|aider\.conf\.yml|clinerules|roomodes)\Z",
    re.IGNORECASE,
)
_INSTALLED = re.compile(
    rf"{USER}/(?:\.local/bin|bin|\.cargo/bin|go/bin|\.npm-global/bin|\.bun/bin|\.deno/bin"
    rf"|\.volta/bin"
    rf"|\.pyenv/shims|\.asdf/shims|\.nix-profile/bin|\.local/share/mise/shims)(?:/[^/]*)?\Z"
)
"""Programs that are found by their name alone: who changes one changes every later command."""
_SAYS = names(
    "status explain why test check list ls show version doctor logs log history scan --version"
    " --help -h help info stats report audit bench inspect validate view events tail diff"
)
"""What a guard's own program is asked without changing anything."""
_OFF = re.compile(
    r"--(?:no|disable|skip|without)-(?:hooks?|extensions?|plugins?|sandbox|safety|guard\w*"
    r"|approv\w*"
    r"|permission\w*|confirm\w*|policy|policies|verify)\b.*"
    r"|--(?:allow-)?dangerously[\w-]*|--yolo|--pure|--bare|--safe-mode|--unsafe|--full-auto"
    r"|--yes-always"
    r"|--dangerously-allow-all|--allow-all\S*|--auto-?approve\S*|--trust-all\S*|--bypass\S*"
    r"|--sandbox=(?:danger\S*|none|off|false)|--approval-mode=(?:yolo|auto\w*)|--no-confirm"
    r"|--permission-mode=(?:bypass\w*|acceptEdits)|--setting-sources(?:=.*)?|--disable-hooks|--ignore-[\w-]+|--settings-file(?:=.*)?|--force"
)
_OFF_PAIRS = {
    "--sandbox": re.compile(r"danger.*|none|off|false"), "-s": re.compile(r"danger-full-access"),
    "--permission-mode": re.compile(r"bypass.*"), "--approval-mode": re.compile(r"yolo|auto.*"),
    "--disable": re.compile(r".*"),
    "--extensions": re.compile(r"none"),
    "-e": re.compile(r"none"),
    "-c": re.compile(r".*(?:hook|sandbox|approval|trust|polic|permission).*"),
    "--config": re.compile(r".*(?:hook|sandbox|approval|trust|polic|permission).*"),
    "-a": re.compile(r"never"), "--ask-for-approval": re.compile(r"never"),
    "--settings": re.compile(r".*"),
}  # fmt: skip
_ELSEWHERE = re.compile(
    r"(?:^|[\s;&|(])(?:-u\s*)?(?:[A-Z0-9]+_)*(?:HOME|CONFIG|SETTINGS|PLUGINS?|HOOKS?|EXTENSIONS?|GUARDS?"
    r"|SANDBOX|YOLO|MODE|APPROVALS?|PERMISSIONS?|PURE|BARE|DIR)(?:_[A-Z0-9_]+)?(?:=\S*|\s)"
)
_REMOVES = names("uninstall remove rm disable untrust")
_PARTS = names(
    "plugin plugins hook hooks extension extensions mcp config permissions permission trust "
    "settings"
    " sandbox guard guards policy approvals features agent"
)
_CHANGES = names(
    "remove rm uninstall disable set set-default unset reset delete install add off update"
    " clear edit enable allow trust link"
)
_INSTALLERS = names(
    "npm pnpm yarn bun brew apt apt-get dnf yum pacman apk pip pip3 pipx uv cargo gem go snap"
    " flatpak dpkg rpm conda poetry nix-env choco scoop winget mise asdf"
)
_ENDS = names(
    "uninstall remove rm un r purge unlink autoremove disable --uninstall -R -Rns -r -e del"
    " install i upgrade update add -i -g link"
)


GUARD_UNITS = "|".join(f"{name}*" for name in sorted(_GUARDS))
"""Names of services that are a guard's, as patterns."""


def is_agent_name(name: str) -> bool:
    """Whether a program of this name is a coding agent, or a guard of one."""
    plain = name.lower().removesuffix(".exe")
    return plain in _GUARDS or plain in _AGENTS - {"continue", "q", "forge", "factory", "warp"}


def _protected(path: str) -> str:
    """Return what a path is of what holds an agent back, or the empty string."""
    if _GUARD_PATH.search(path):
        return "what a guard of the agent is set to"
    if _AGENT_PATH.search(path):
        return "the settings of a coding agent"
    return "what a guard or an agent is set to" if _may_be(path) else ""


def _may_be(path: str) -> bool:
    """Whether a segment with wildcards (``~/.na?``) may stand for such a directory."""
    if not any(mark in path for mark in "*?["):
        return False
    return any(_may_stand(segment) for segment in path.split("/")[:64])


@lru_cache(maxsize=256)
def _may_stand(segment: str) -> bool:
    wild = segment.startswith(".") and any(mark in segment for mark in "*?[")
    # `.*` stands for everything, and is no way to say one of them.
    if not wild or not segment.strip("*?."):
        return False
    return any(fnmatch.fnmatchcase(name, segment) for name in _DOT_NAMES)


def _configuration(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    # The first time it is made is nothing that holds anybody back yet.
    new = each.program == "mkdir" and not _GUARD_PATH.search(effect.path)
    what = "" if new else _protected(effect.path)
    return f"{effect.construct} changes {shown(effect.path)}, {what}" if what else None


_FOUND_BY_NAME = re.compile(r"(?:\$\(|`)\s*(?:which|command\s+-v|type\s+-[pP])\s+\S")
_CHANGERS = names("rm mv unlink chmod chown cp truncate shred ln tee dd install strip")
_KNOWS = NAME_ONLY | READERS | names("cp mv rsync scp install tar zip ldd nm objdump readelf exec")


def _handed(analysis: Analysis, scene: Scene) -> tuple[Invocation, str] | None:
    """Such a file handed to a program of which nobody knows what it does with it."""
    del scene
    for each in analysis.invocations:
        if each.program in _CHANGERS and _FOUND_BY_NAME.search(each.text):
            return each, f"{each.program} changes a program that is run by its name"
        if each.program in _KNOWS and each.program not in {"git", "mount"}:
            continue
        if is_interpreter(each.program) or each.program in SHELLS:
            continue
        for word in each.argv[1:]:
            if "/" not in word or word.startswith("-"):
                continue
            path = resolve(word, each.cwd)
            if _GUARD_PATH.search(path) or _INSTALLED.match(path):
                return each, f"{each.program} is given {shown(path)}"
    return None


def _linked(each: Invocation, scene: Scene) -> str | None:
    del scene
    for word in plain_words(each)[:-1]:
        what = _protected(resolve(word, each.cwd))
        if what:
            return f"{each.program} gives {shown(word)}, {what}, another name"
    return None


def _installed(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    opens = each.program == "chmod" and "(closes)" not in effect.construct
    if opens or each.program in {"mkdir", "touch"} or not _INSTALLED.match(effect.path):
        return None
    return f"{effect.construct} changes {shown(effect.path)}, which is run by its name"


_VERBS = re.compile(
    r"""open\w*\s*\([^)]{0,200},\s*(?:mode\s*=\s*)?["'][^"']*[wax+>]|["']\s*[>+]{1,2}|\bwrite|unlink
    |remove
    |rename|\brm(?:tree|dir|Sync|\b)|rmdir|truncate|chmod|chown|\blinks?\b|symlink|replace|copy|\bmv\b
    |move|touch|mkfifo|system|\bexec|popen|subprocess|spawn|\beval|compile|getattr|__import__|fopen
    |put_contents|`|qx|delete|\bsend\b|Content\b|Remove-|Set-|Out-File|sysopen|O_WRONLY|O_RDWR|save
    |\bload\s*\(""",
    re.VERBOSE,
)
_DECIMAL = re.compile(r"\\(\d{2,3})")
"""How Lua writes a character."""
_RUBY = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}")


def _by_code(each: Invocation, scene: Scene) -> str | None:
    """Code of another language that names such a file and holds a word that changes one."""
    del scene
    code = (code_of(each) or " ".join(each.argv[1:]))[:16384]
    if not code or not _VERBS.search(code):
        return None
    plain = unescape(_RUBY.sub(lambda found: chr(int(found[1], 16) % 0x110000), code))
    decimal = _DECIMAL.sub(lambda found: chr(int(found[1])), code)
    for text in (code, plain, decimal):
        for found in _NAMED.finditer(text):
            return f"code for {each.program} names {shown(found[0])} and changes files"
    if re.search(r"['\"](?:" + "|".join(sorted(_GUARDS)) + r")['\"]\s*,", code):
        return f"code for {each.program} starts a guard's program"
    agent = re.search(r"['\"](?:" + "|".join(sorted(_AGENTS)) + r")['\"]\s*,\s*\[?['\"]--?\w", code)
    return f"code for {each.program} starts an agent with options" if agent else None


_NAMED = re.compile(
    rf"{_GUARD_PATH.pattern}[\w./-]*|[\"']\.(?:{'|'.join(sorted(_GUARDS))})(?=[\"'/])|/\.(?:local|cargo)/bin(?:/[\w.-]+)?"
    rf"|/\.(?:claude|codex|gemini|cursor|opencode|kiro|qwen|amp"
    rf"|copilot)/[\w./-]*{_CONFIG}[\w.-]*"
)
_LANGUAGES = names(
    "python python2 python3 py perl ruby node nodejs php lua deno bun r rscript pwsh powershell"
    " luajit tclsh osascript pypy ipython"
)


def _guard_program(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = [word for word in each.argv[1:] if word not in {"-v", "--verbose", "-q", "--quiet"}]
    if not words or words[0] in _SAYS or words[-1] in {"--help", "-h", "--version"}:
        return None
    return f"{each.program} {words[0][:40]} is for a person to type"


def _agent_program(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = each.argv[1:]
    for index, word in enumerate(words):
        pair = _OFF_PAIRS.get(word)
        value = words[index + 1] if index + 1 < len(words) else ""
        if _OFF.fullmatch(word) or (pair is not None and value and pair.fullmatch(value)):
            return f"{each.program} {word} starts an agent with less to hold it back"
    plain = [word for word in words if not word.startswith("-")]
    if set(plain[:1]) & _REMOVES:
        return f"{each.program} {plain[0]} changes what holds an agent back"
    if plain[:1] and plain[0] in _PARTS and set(plain[1:2]) & _CHANGES:
        return f"{each.program} {plain[0]} {plain[1]} changes what holds an agent back"
    if _ELSEWHERE.search(each.text.partition(each.argv[0])[0]):
        return f"{each.program} is started with other settings than its own"
    return None


_GUARD_NAME = re.compile(
    r"(?:.*[/@_.:=-])?(?:"
    + "|".join(sorted(map(re.escape, _GUARDS)))
    + r")(?:[-_.@/=][\w.@/-]*)?\Z"
)
_AGENT_PACKAGES = re.compile(
    r"(?:@anthropic-ai/)?claude-code|@openai/codex|@google/gemini-cli|opencode-ai|@sourcegraph/amp"
)


def _installs(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    if given.only_tries() or not set(given.words) & _ENDS:
        return None
    for word in given.words:
        if _GUARD_NAME.match(word) and not word.startswith("-"):
            return f"{each.program} changes the guard {word[:60]}"
        if _AGENT_PACKAGES.match(word) and set(given.words) & {"uninstall", "remove", "rm"}:
            return f"{each.program} removes the agent {word[:60]}"
    return None


def _by_environment(each: Invocation, scene: Scene) -> str | None:
    """Functions and start files that a shell takes from its environment."""
    del scene
    for word in each.argv[1:]:
        name = word.partition("=")[0]
        if "=" in word and (
            name.startswith("BASH_FUNC_") or name in {"BASH_ENV", "PROMPT_COMMAND"}
        ):
            return f"{name[:40]} puts code into every shell that is started"
    return None


PACK = Pack("agents", "What holds coding agents back: their settings, their hooks, their guards.", (
    Rule("agent-guard", Action.DENY, "Lets an agent change who judges it.",
         Call(_GUARDS - {"pointsman"}, _guard_program), "dcg allow once", "dcg explain 'ls'",
         "A person sets a guard, in a terminal of their own."),
    Rule("agent-guard-package", Action.DENY,
         "Takes a guard of the agent away, or puts another in its place.",
         Call(_INSTALLERS, _installs), "npm uninstall -g cc-safety-net", "npm uninstall left-pad"),
    Rule("agent-settings", Action.ASK, "They say what it may do, and who is asked.",
         Deed(CHANGES, _configuration), "rm -f ~/.codex/config.toml", "cat ~/.codex/config.toml",
         "Say what should be changed; a person changes it."),
    Rule("agent-settings-handed", Action.ASK, "Changes who judges an agent, or a program of its.",
         Flow(_handed), "upx ~/.local/bin/tool", "file ~/.local/bin/tool"),
    Rule("agent-settings-link", Action.ASK, "Gives what holds an agent back another name.",
         Call(frozenset({"ln", "link", "mount"}), _linked), "ln -s ~/.codex/config.toml x",
         "ln -s ../config.toml x", plain=True),
    Rule("agent-code", Action.ASK, "Changes what a coding agent may do, or who is asked.",
         Call(_LANGUAGES, _by_code), "node -e 'f = \"/home/dev/.codex/config.toml\"; fs.rmSync(f)'",
         "node -e 'console.log(1)'"),
    Rule("agent-unguarded", Action.ASK, "Starts an agent that nothing holds back.",
         Call(_AGENTS - {"continue", "q", "forge", "factory", "warp"}, _agent_program),
         "codex exec --yolo 'fix it'", "codex exec 'fix it'", plain=True),
    Rule("installed-program", Action.ASK, "Changes a program that is run by its name from now on.",
         Deed(CHANGES, _installed), "cp helper ~/.local/bin/git", "cp helper build/bin/git",
         "Run it by its path, in the project.", plain=True),
    Rule("shell-environment", Action.ASK, "Puts code into every shell that is started.",
         Call(frozenset({"env", "export", "declare", "typeset"}), _by_environment),
         "env BASH_ENV=/tmp/x bash run.sh", "env A=b bash run.sh", plain=True),
))  # fmt: skip
"""Rules about what holds agents back. Pointsman's own is kept by the guard self-protection."""
