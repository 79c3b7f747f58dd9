"""Process control: everything ended at once, the machine, its services, the agent's own host."""

import re

from pointsman.hooks.packs.agents import GUARD_UNITS, is_agent_name
from pointsman.hooks.packs.calls import Given, calls
from pointsman.hooks.rule import Call, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import ENDLESS, UNKNOWN, Invocation
from pointsman.shell.programs import plain_words

_VALUES = frozenset({"-s", "-u", "-U", "-g", "-G", "-t", "-P", "-n", "--signal", "--user"})
_SESSION = frozenset({
    "init", "systemd", "sshd", "login", "tmux", "screen", "Xorg", "gnome-shell", "launchd",
    "WindowServer", "Finder", "loginwindow", "dockerd", "containerd", "kubelet", "dbus-daemon",
    "kthreadd", "agetty", "java", "terminal", "iterm2", "konsole", "wayland", "NetworkManager",
})  # fmt: skip
_UNITS = (
    "*ssh*|*firewall*|ufw*|iptables*|nftables*|fail2ban*|auditd*|apparmor*|selinux*|*etwork*"
    "|systemd-*|dbus*|cron*|rsyslog*|clamav*|crowdsec*|falco*|osquery*|wazuh*|*defender*|docker*"
    "|containerd*|kubelet*|polkit*|resolvconf*|chrony*|ntp*|*.target"
)


def _fork_bomb(each: Invocation, scene: Scene) -> str | None:
    del each, scene
    return "it starts work without end"


def _kill(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = list(each.argv[1:])
    if words[:1] == ["-s"]:
        words = words[2:]
    elif len(words) > 1 and words[0].startswith("-"):
        words = words[1:]
    targets = [word for word in words if word != "--"]
    if {"-1", "1", "0"} & set(targets):
        return "kill ends every process"
    found = _PIDS.search(each.text)
    if found is not None and is_agent_name(found[1]):
        return f"kill ends {found[1]}, an agent or a guard of it"
    return "kill ends the program that started this" if "$PPID" in each.text else None


_PIDS = re.compile(r"\b(?:pidof|pgrep)\s+(?:-\w+\s+)*[\"']?([\w.-]+)")


def _by_name(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    if given.words[-1:] in {("-l",), ("--list",), ("--help",)} or given.has("-0"):
        return None
    of_user = any(given.has(option) for option in ("-u", "-U", "--user"))
    if of_user or each.program == "killall5":
        return f"{each.program} ends everything that a user runs"
    ends = (_ended(word, whole=given.has("-f")) for word in plain_words(each, _VALUES))
    found = next(filter(None, ends), "")
    return f"{each.program} ends {found}" if found else None


def _ended(word: str, *, whole: bool) -> str:
    """Return what a pattern of names ends beside the one thing that is meant, or nothing."""
    name = word.strip("^$").rsplit("/", 1)[-1]
    if not word.strip("^.*$+" + UNKNOWN):
        return "every process that has a name"
    if is_agent_name(name):
        return f"{name}, an agent or a guard of it"
    generic = name in SHELLS or name in _SESSION or (is_interpreter(name) and not whole)
    return f"every {name}, whatever it runs" if generic else ""


def _ends_machine(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = {word.lower() for word in each.argv[1:]}
    if each.program in {"shutdown", "reboot", "halt", "poweroff"}:
        harmless = {"--help", "-c", "--version", "-w", "--wtmp-only"} & words
        return None if harmless else f"{each.program} ends the machine"
    if each.program in {"init", "telinit"}:
        return f"{each.program} ends the machine" if words & {"0", "1", "6", "s"} else None
    if each.program == "osascript":
        text = " ".join(each.argv).lower()
        return (
            "osascript ends the machine" if re.search(r"shut down|restart|log out", text) else None
        )
    ends = {"poweroff", "reboot", "halt", "kexec", "suspend", "hibernate", "rescue", "emergency"}
    found = ends & words
    return f"{each.program} {found.pop()} ends the machine" if found else None


PACK = Pack("processes", "Processes, services and the machine.", (
    Rule("fork-bomb", Action.DENY, "Takes the machine down.",
         Call(frozenset({ENDLESS}), _fork_bomb), ":(){ :|:& };:", "f(){ echo hi; }; f"),
    Rule("power", Action.DENY, "Ends the machine.",
         Call(frozenset({"shutdown", "reboot", "halt", "poweroff", "systemctl", "init", "telinit",
                         "osascript", "loginctl"}), _ends_machine),
         "sudo reboot", "uptime", plain=True),
    Rule("kill-all", Action.DENY, "Ends every process.",
         Call(frozenset({"kill", "skill"}), _kill), "kill -9 -1", "kill -9 4242",
         "End the process by its number.", plain=True),
    Rule("kill-by-name", Action.ASK, "Ends more than one thing, and whose they are is not known.",
         Call(frozenset({"pkill", "killall", "killall5", "xkill"}), _by_name),
         "pkill -9 node", "pkill -f 'npm run dev'",
         "End the process by its number (pgrep -af shows it), or by its whole command line."),
    Rule("service-stop", Action.ASK, "The machine, or its guard, relies on it.",
         calls("stops a service",
               f"systemctl stop|kill|disable|mask|isolate|restart {_UNITS}|{GUARD_UNITS}",
               "systemctl disable|mask",
               f"service {_UNITS} stop", "launchctl unload|bootout|remove|disable|kill",
               "rc-service * stop", "rc-update del", "initctl stop", "update-rc.d * remove|disable",
               "chkconfig * off", "sc stop|delete|config", "net stop"),
         "systemctl stop sshd", "systemctl status sshd"),
    Rule("network-off", Action.ASK, "Cuts the machine off from those who work on it.",
         calls("changes the network", "ip link set ... down", "ip route|addr|address del|flush",
               "ifconfig * down", "nmcli networking|radio ... off",
               "nmcli connection|con delete|down",
               "ifdown *", "route del|delete|flush",
               "networksetup -setairportpower|-setnetworkserviceenabled",
               "resolvectl revert", "tc qdisc ... add|replace"),
         "ip link set eth0 down", "ip link show"),
    Rule("clock", Action.ASK, "Logs and certificates are judged by it.",
         calls("sets the clock", "date -s|--set !-I", "timedatectl set-time|set-ntp",
             "hwclock -w|-s|--set",
               "systemsetup -setdate|-settime"),
         "date -s '2020-01-01'", "date -u"),
))  # fmt: skip
"""Rules about processes."""
