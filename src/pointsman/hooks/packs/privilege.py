"""Privilege: becoming root for good, letting others become it, taking the machine's locks off."""

import re
from itertools import pairwise

from pointsman.hooks.packs.calls import Given, calls
from pointsman.hooks.packs.places import shown
from pointsman.hooks.rule import Call, Deed, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.carried import SHELLS
from pointsman.shell.effects import CHANGES, Effect, Invocation
from pointsman.shell.programs import plain_words

_POWERFUL = r"(?:sudo|wheel|root|admin|docker|adm|lxd|libvirt|disk|shadow)"
_SUDOERS = re.compile(
    r"/etc/(?:sudoers(?:\.d(?:/|\Z))?|passwd|shadow|gshadow|group|pam\.d/|polkit-1/|security/"
    r"|doas\.conf"
    r"|ld\.so\.preload|ssh/sshd_config|selinux/|apparmor)"
)


def _root_shell(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = each.argv[1:]
    if each.program in {"sudo", "doas"}:
        shell = [
            word
            for word in words
            if re.fullmatch(r"-[A-Za-z]*[is]", word) or word in {"--login", "--shell"}
        ]
        rest = plain_words(each, frozenset({"-u", "-g", "-h", "-p", "-C", "-U"}))
        bare = rest[:1] == ["su"] or (len(rest) == 1 and rest[0].rsplit("/", 1)[-1] in SHELLS)
        alone = not rest or (rest[:1] == ["su"] and "-c" not in words)
        if (shell and not rest) or (bare and (alone or rest[0] != "su") and "-c" not in words):
            return f"{each.program} opens a shell of another user"
        return None
    run = {"-c", "--command"} & {word.partition("=")[0] for word in words}
    return None if run or "--help" in words else "su becomes another user"


_MODE = re.compile(r"[ugoa]*[+=][rwxXt]*s[rwxXst]*|0?[2467][0-7]{3}")


def _set_uid(each: Invocation, scene: Scene) -> str | None:
    del scene
    modes = [Given.of(each).first] if each.program == "chmod" else []
    for word, following in pairwise((*each.argv, "")):
        if word in {"-m", "--mode"} and each.program != "chmod":
            modes.append(following)
        elif word.startswith(("--mode=", "-m")):
            modes.append(word.removeprefix("--mode=").removeprefix("-m"))
    if any(_MODE.fullmatch(part) for mode in modes for part in mode.split(",")):
        return f"{each.program} lets everybody run a file as its owner"
    return None


def _grants(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del each, scene
    if _SUDOERS.match(effect.path):
        return f"{effect.construct} changes {shown(effect.path)}, which says who may become root"
    return None


def _sysctl(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    sets = [word for word in given.words if "=" in word and not word.startswith("-")]
    if sets or given.has("-w") or given.has("-p") or given.has("--load") or given.has("--system"):
        return f"sysctl sets {shown(' '.join(sets[:1]) or 'the kernel')}"
    return None


PACK = Pack("privilege", "Who may do what on the machine.", (
    Rule("root-shell", Action.ASK, "Works as another user from here on, with nothing asked again.",
         Call(frozenset({"sudo", "doas", "su"}), _root_shell), "sudo -i", "sudo ls",
         "Run the one command that needs it with sudo."),
    Rule("set-uid", Action.DENY, "Lets whoever runs a file act as somebody else.",
         Call(frozenset({"chmod", "install", "mkdir", "mknod"}), _set_uid),
         "chmod u+s /usr/local/bin/tool",
         "chmod u+x tool.sh"),
    Rule("capability", Action.DENY, "Gives a program powers of root.",
         calls("gives powers of root", "setcap *", "setfacl ... /etc*|/usr*|/root*",
               "capsh --user|--caps", "update-binfmts --install"),
         "setcap cap_net_raw+ep ./tool", "getcap ./tool", plain=True),
    Rule("who-is-root", Action.DENY, "Says who may become root, or get in at all.",
         Deed(CHANGES, _grants), "echo 'x ALL=(ALL) ALL' > /etc/sudoers.d/x", "cat /etc/passwd",
         plain=True),
    Rule("accounts", Action.DENY, "Changes who may get in, or become root.",
         calls("changes an account", "visudo !-c|--check",
             "usermod|useradd|userdel|groupmod|groupdel *",
               "passwd !-S|--status", "chpasswd", "gpasswd -a|-d|-A|-M",
               "adduser|deluser|addgroup *",
               "groupadd *", "newusers *", "vipw", "vigr", "dscl ... create|append|delete|passwd",
               "net user|localgroup ... /add", "chage *", "sysadminctl *"),
         "usermod -aG sudo dev", "groups dev"),
    Rule("immutable", Action.ASK, "Locks files for everybody, or takes such a lock off.",
         calls("changes what may be changed at all", "chattr *", "chflags *", "xattr -d|-c|-r|-w"),
         "chattr -i notes.txt", "lsattr notes.txt"),
    Rule("kernel", Action.DENY, "Everything else on the machine runs on it.",
         calls("changes the kernel", "insmod|rmmod|modprobe * !-n|--show-depends", "kexec *",
               "kldload *", "kextload *", "kmutil load", "dkms install|remove", "grub-install *",
               "efibootmgr -B|-b|-o|-c", "bcdedit /set|/delete", "update-grub", "nvram -c|-d"),
         "insmod ./x.ko", "lsmod"),
    Rule("kernel-setting", Action.ASK, "Changes the kernel that everything runs on.",
         Call(frozenset({"sysctl"}), _sysctl), "sysctl -w kernel.randomize_va_space=0",
         "sysctl kernel.hostname"),
    Rule("name-space", Action.ASK, "Enters the name spaces of the machine itself.",
         calls("enters other name spaces", "nsenter -t|--target|-a|--all", "chroot /*",
               "machinectl shell|login", "lxc-attach *"),
         "nsenter -t 1 -m sh", "lsns", plain=True),
    Rule("firewall", Action.DENY, "Takes away what keeps others out.",
         calls("opens the machine", "iptables|ip6tables -F|--flush|-X|-P|--policy|-D|--delete|-Z",
               "nft flush|delete|destroy", "ufw disable|reset|delete", "ufw default allow",
               "ufw allow from any",
               "firewall-cmd --panic-off|--set-default-zone|--remove-rich-rule|--add-port",
               "pfctl -d|-F", "netsh advfirewall ... off|reset", "iptables-restore",
               "fail2ban-client stop|unban"),
         "iptables -F", "iptables -L"),
    Rule("security-off", Action.DENY, "Takes away what holds programs back.",
         calls("takes a lock of the machine off", "setenforce 0|permissive|Permissive",
               "aa-disable|aa-teardown|aa-complain *", "aa-teardown", "apparmor_parser -R",
               "csrutil disable", "spctl --master-disable|--global-disable", "semanage permissive",
               "semodule -r|-d", "auditctl -D|-e=0", "auditctl -e", "Set-MpPreference *",
               "xhost +*", "pkcheck --allow-user-interaction", "fdesetup disable"),
         "setenforce 0", "getenforce"),
))  # fmt: skip
"""Rules about privilege."""
