"""What stays behind: code that runs later or again, and traces that are taken away."""

import re

from pointsman.hooks.packs.calls import Given, calls
from pointsman.hooks.packs.places import USER, shown
from pointsman.hooks.rule import Call, Deed, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import CHANGES, Effect, Invocation, Kind

_KEYS = re.compile(
    r"(?:^|/)\.ssh/(?:authorized_keys2?|rc|environment)\Z|/etc/ssh/|/\.(?:rhosts"
    r"|shosts)\Z"
)
_STARTS = re.compile(
    rf"{USER}/\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile"
    rf"|zlogin|zlogout"
    rf"|cshrc|tcshrc|kshrc|inputrc|xinitrc|xprofile|xsession|pam_environment|login|vimrc|ssh/config"
    rf"|pythonrc(?:\.py)?|gdbinit|screenrc|tmux\.conf|bash_aliases|hushlogin|curlrc|wgetrc"
    rf"|config/(?:fish/(?:config\.fish|conf\.d/.*|functions/.*)|autostart/.*|systemd/.*"
    rf"|environment\.d/.*))\Z"
    r"|/etc/(?:cron[^/]*(?:/|\Z)|anacrontab|systemd/|init\.d/|rc\.local|rc\d\.d/|profile(?:\.d/|\Z)"
    r"|bash\.bashrc|zsh|environment|xdg/autostart|udev/rules\.d|at\.|modules-load\.d|motd"
    r"|update-motd\.d)"
    r"|/var/spool/(?:cron|at)|/(?:usr/)?lib/systemd/|.*/Library/Launch(?:Agents|Daemons)/"
    r"|/Library/StartupItems"
    r"|.*/(?:sitecustomize|usercustomize)\.py\Z|.*/site-packages/[^/]+\.pth\Z|.*/Startup/[^/]+\Z"
)
_GIT_HOOK = re.compile(
    r"(?:^|/)(?:[^/]*\.git|\.git/modules/.+)/hooks/[^/]+(?<!\.sample)\Z"
    r"|/\.git/hooks\Z"
)
_HISTORY = re.compile(
    r"(?:^|/)\.(?:bash|zsh|sh|python|mysql|psql|sqlite|node_repl|ash|rediscli|dbshell)_?history\Z"
    r"|(?:^|/)\.(?:lesshst|histfile|zhistory)\Z|/fish_history\Z"
)
_LOG = re.compile(
    r"/var/(?:log|audit|account)(?:/|\Z)|/run/log(?:/|\Z)"
    r"|.*/Library/Logs/DiagnosticReports"
)


def _opens_door(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del each, scene
    if effect.kind is not Kind.CHMOD and _KEYS.search(effect.path):
        return f"{effect.construct} changes {shown(effect.path)}, which says who gets in"
    return None


def _starts(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    if effect.kind is not Kind.CHMOD and each.program != "mkdir" and _STARTS.match(effect.path):
        return f"{effect.construct} changes {shown(effect.path)}, which runs by itself"
    return None


def _hook(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    if each.program not in {"git", "mkdir"} and _GIT_HOOK.search(effect.path):
        return f"{effect.construct} changes {shown(effect.path)}, which git runs by itself"
    return None


def _traces(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    path = effect.path.rstrip("*").rstrip("/")
    appends = effect.construct == "redirection >>" or Given.of(each).has("-a")
    if _HISTORY.search(path) or (_LOG.match(path) and not appends and each.program != "mkdir"):
        return f"{effect.construct} changes {shown(effect.path)}, a record of what was done"
    return None


def _crontab(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    if given.has("-r"):
        return "crontab -r deletes everything that is scheduled"
    if given.has("-l") or given.has("--help") or given.has("-V") or given.has("-T"):
        return None
    return "crontab changes what runs by itself"


_SAYS = frozenset({
    "history", "set", "unset", "export", "declare", "typeset", "local", "readonly", "env",
})  # fmt: skip


def _no_history(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = each.argv[1:]
    if each.program == "history":
        given = Given.of(each)
        return "history takes away what was typed" if given.has("-c") or given.has("-d") else None
    if each.program == "set":
        return "set +o history stops the record" if words[:2] == ("+o", "history") else None
    if each.program == "unset":
        return "unset HISTFILE stops the record" if "HISTFILE" in words else None
    named = re.search(r"\bHIST(?:FILE=(?:/dev/null)?(?:\s|;|\Z)|(?:FILE)?SIZE=0)", each.text)
    return "the shell's record is turned off" if named else None


PACK = Pack("persistence", "What runs later, and what is taken away from the record.", (
    Rule("let-in", Action.DENY, "Lets somebody in from now on.",
         Deed(CHANGES, _opens_door), "cat key.pub >> ~/.ssh/authorized_keys",
         "cat ~/.ssh/authorized_keys"),
    Rule("start-file", Action.ASK, "Puts in place what runs by itself later.",
         Deed(CHANGES, _starts), "echo 'alias ls=x' >> ~/.bashrc", "cat ~/.bashrc",
         "Set it for this command or this project: a variable before it, an .env file.",
         plain=True),
    Rule("git-hook", Action.ASK, "Puts in place what git runs by itself.",
         Deed(CHANGES, _hook), "cp pre-commit .git/hooks/pre-commit", "ls .git/hooks", plain=True),
    Rule("schedule", Action.ASK, "Nobody looks on when that happens.",
         calls("runs something later", "at|batch !-l|-c|-r|-d|-V",
             "systemctl enable|link|edit|preset",
               "launchctl load|bootstrap|submit|enable|kickstart",
               "systemd-run --on-calendar|--on-boot|--on-active",
               "loginctl enable-linger", "update-rc.d * defaults|enable", "chkconfig * on",
               "rc-update add", "schtasks /create|/delete", "ssh-copy-id *", "anacron *"),
         "echo 'make' | at midnight", "atq"),
    Rule("crontab", Action.ASK, "Changes what runs by itself.",
         Call(frozenset({"crontab", "fcrontab"}), _crontab), "crontab -r", "crontab -l",
         "crontab -l shows what is there."),
    Rule("history", Action.DENY, "Nobody can see afterwards what was done.",
         Call(_SAYS, _no_history),
         "history -c", "history 20"),
    Rule("traces", Action.DENY, "Nobody can see afterwards what happened.",
         Deed(CHANGES, _traces), "truncate -s 0 /var/log/auth.log", "tail /var/log/auth.log"),
    Rule("log-tampering", Action.ASK, "Nobody can see afterwards what was done.",
         calls("takes the record away",
             "journalctl --vacuum-time|--vacuum-size|--vacuum-files|--rotate",
               "dmesg -C|-c|--clear", "auditctl -e|-D", "wevtutil cl|clear-log", "log erase",
               "logrotate -f|--force", "lastlog -C|-S", "Clear-EventLog *", "Clear-History",
               "service|systemctl rsyslog|auditd stop"),
         "journalctl --vacuum-time=1s", "journalctl -n 20"),
))  # fmt: skip
"""Rules about what stays behind."""
