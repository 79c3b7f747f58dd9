"""What programs do beside files: speak to hosts, end processes, change who acts, run code."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pointsman.shell.arguments import option_value, options, plain_words
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.state import resolve


@dataclass(frozen=True, slots=True)
class _Act:
    """What a program does whose plain words say to whom.

    ``only`` are the first words with which alone it does so (empty: with any); ``first`` skips
    words before those that say to whom; ``with_value`` are options that take the next word;
    ``otherwise`` is what it is done to where no word says so.
    """

    kind: Kind
    only: frozenset[str] = frozenset()
    first: int = 0
    with_value: frozenset[str] = frozenset()
    otherwise: str = UNKNOWN


def _these(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _rows(names: str, act: _Act) -> dict[str, _Act]:
    return dict.fromkeys(names.split(), act)


_CURL = _these(
    "-o -d -H -X -u -A -e -F -T -m -w -x -b -c -K --data --data-binary --header --output"
)
_ENDS = _these(
    "stop kill restart try-restart disable mask isolate poweroff reboot halt kexec suspend"
    " hibernate rescue emergency reload-or-restart"
)
_INSTALLS = _these(
    "install add download upgrade update sync publish i ci up fetch get search login clone dlx"
    " create build push pull"
)
_ACTS: Mapping[str, _Act] = {
    **_rows("curl http https xh", _Act(Kind.NETWORK, with_value=_CURL)),
    **_rows("wget aria2c axel lynx w3m links fetch", _Act(
        Kind.NETWORK, with_value=_these("-O -o -P -U -e -d"))),
    **_rows("nc ncat netcat nc.traditional telnet ftp lftp tftp rsh rlogin mosh", _Act(
        Kind.NETWORK, with_value=_these("-p -w -e -c -s -q -X -x -l"))),
    **_rows("ssh sftp ssh-copy-id", _Act(
        Kind.NETWORK, with_value=_these("-p -i -l -o -F -J -L -R -D -b -c -E -W"))),
    **_rows("ping ping6 dig nslookup host whois traceroute nmap masscan", _Act(
        Kind.NETWORK, with_value=_these("-c -i -p -t -W -w"))),
    **_rows("mail mailx mutt sendmail swaks", _Act(Kind.NETWORK, with_value=_these("-s -a -r"))),
    **_rows("gh glab hub aws gcloud az gsutil rclone s3cmd doctl flyctl heroku vercel netlify",
            _Act(Kind.NETWORK)),
    **_rows("pip pip3 pipx npm pnpm yarn bun cargo gem composer brew apt apt-get dnf yum apk"
            " pacman zypper conda mamba go poetry uv pdm docker podman helm terraform", _Act(
                Kind.NETWORK, only=_INSTALLS, first=1)),
    **_rows("kill skill", _Act(Kind.PROCESS, with_value=_these("-s -n"))),
    **_rows("pkill killall xkill", _Act(Kind.PROCESS, with_value=_these("-s -u -U -t -P -g -G"))),
    "renice": _Act(Kind.PROCESS, first=1, with_value=_these("-n")),
    **_rows("shutdown reboot halt poweroff telinit init", _Act(
        Kind.PROCESS, with_value=frozenset(), first=99, otherwise="machine")),
    **_rows("systemctl loginctl launchctl", _Act(Kind.PROCESS, only=_ENDS, first=1)),
    "initctl": _Act(Kind.PROCESS, only=_ENDS, first=1),
    **_rows("supervisorctl pm2", _Act(Kind.PROCESS, only=_ENDS | {"delete", "shutdown"}, first=1)),
    **_rows("useradd userdel usermod groupadd groupdel groupmod passwd chpasswd visudo gpasswd"
            " adduser deluser", _Act(Kind.PRIVILEGE, with_value=_these("-g -G -s -d -u -c"))),
    **_rows("setcap chcon setenforce", _Act(Kind.PRIVILEGE, first=1)),
    **_rows("insmod modprobe rmmod", _Act(Kind.PRIVILEGE, otherwise="kernel")),
}  # fmt: skip
"""Programs whose words say to whom something is done."""


def acts_of(each: Invocation) -> Iterator[Effect]:
    """Yield what an invocation does that is not about the content of a file."""
    for redirect in each.redirects:
        socket = _SOCKET.match(redirect.target)
        if socket is not None:
            yield Effect(Kind.NETWORK, socket[1], f"redirection {redirect.operator}")
    if not each.argv:
        return
    # The table and a reader may both speak: `chmod u+s` is about a file and about who acts.
    row = _ACTS.get(each.program)
    if row is not None:
        yield from _by_row(each, row)
    special = _SPECIAL.get(each.program)
    if special is not None:
        yield from special(each)
    yield from _executes(each)


_SOCKET = re.compile(r"/dev/(?:tcp|udp)/(.+)")


def _by_row(each: Invocation, row: _Act) -> Iterator[Effect]:
    words = plain_words(each, row.with_value)
    if row.only and not (words and words[0] in row.only):
        return
    for word in words[row.first :] or [row.otherwise]:
        yield Effect(row.kind, word, each.program)


def _becomes(*names: str) -> Callable[[Invocation], Iterator[Effect]]:
    """Return the reader of a program that acts as the user whom an option names."""

    def read(each: Invocation) -> Iterator[Effect]:
        user = option_value(each, *names)
        # `-uroot` is `-u root`.
        glued = next((word[2:] for word in each.argv if re.match(r"-u\w", word)), None)
        yield Effect(Kind.PRIVILEGE, user or glued or "root", each.program)

    return read


def _su(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, frozenset({"-c", "--command", "-s", "--shell", "-g"}))
    yield Effect(Kind.PRIVILEGE, next((word for word in words if word != "-"), "root"), "su")


def _space(each: Invocation) -> Iterator[Effect]:
    yield Effect(Kind.PRIVILEGE, "name space", each.program)


def _fuser(each: Invocation) -> Iterator[Effect]:
    if options(each) & {"-k", "--kill"}:
        for word in plain_words(each):
            yield Effect(Kind.PROCESS, word, "fuser -k")


def _service(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each)
    if len(words) > 1 and words[1] in _ENDS:
        yield Effect(Kind.PROCESS, words[0], "service")


def _remote(each: Invocation) -> Iterator[Effect]:
    for word in plain_words(each, frozenset({"-i", "-o", "-P", "-F", "-e", "--rsh", "-l"})):
        # `./a:b` is a file: a host has no slash before its colon.
        host, colon, _ = word.partition(":")
        if colon and "/" not in host:
            yield Effect(Kind.NETWORK, host.rpartition("@")[2], each.program)


def _socat(each: Invocation) -> Iterator[Effect]:
    for word in plain_words(each):
        kind, colon, rest = word.partition(":")
        if colon and re.match(r"(tcp|udp|ssl|openssl|socks|proxy|sctp)", kind, re.IGNORECASE):
            yield Effect(Kind.NETWORK, rest.partition(",")[0], "socat")


def _mode(each: Invocation) -> Iterator[Effect]:
    """``chmod u+s``: whoever runs the file then acts as its owner."""
    words = plain_words(each)
    if words and re.fullmatch(r"[ugoa]*[+=][rwxX]*s[rwxXst]*|[2467][0-7]{3}", words[0]):
        for word in words[1:]:
            yield Effect(Kind.PRIVILEGE, resolve(word, each.cwd), "chmod +s")


def _executes(each: Invocation) -> Iterator[Effect]:
    """Say which file is run as code, or that code stands in the command."""
    program, first = each.program, each.argv[0]
    if program in SHELLS or is_interpreter(program):
        words = plain_words(each, _CODE)
        coded = any(re.fullmatch(r"-[a-zA-Z]*[ceEr]|--eval", word) for word in each.argv[1:])
        file = "" if coded or not words or words[0] == "-" else resolve(words[0], each.cwd)
        yield Effect(Kind.EXECUTE, file, program)
    elif program in {"source", "."} and len(each.argv) > 1:
        yield Effect(Kind.EXECUTE, resolve(each.argv[1], each.cwd), program)
    elif program == "eval":
        yield Effect(Kind.EXECUTE, "", program)
    # What the system has installed is known by its name; a path elsewhere is somebody's file.
    elif "/" in first and not first.startswith(_SYSTEM):
        yield Effect(Kind.EXECUTE, resolve(first, each.cwd), program)


_CODE = frozenset({"-c", "-e", "-E", "-r", "-m", "-W", "-X", "--eval", "-O", "-o"})
_SYSTEM = ("/bin/", "/usr/", "/sbin/", "/opt/")
_SPECIAL: Mapping[str, Callable[[Invocation], Iterator[Effect]]] = {
    "sudo": _becomes("-u", "--user"),
    "doas": _becomes("-u"),
    "pkexec": _becomes("--user"),
    "runuser": _becomes("-u", "--user"),
    "su": _su,
    "chroot": _space,
    "unshare": _space,
    "nsenter": _space,
    "fuser": _fuser,
    "service": _service,
    "rsync": _remote,
    "scp": _remote,
    "socat": _socat,
    "chmod": _mode,
}
