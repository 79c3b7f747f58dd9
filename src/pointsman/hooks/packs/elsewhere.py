"""Commands that are handed to another machine, or into a container."""

import re
from collections.abc import Iterable, Iterator

from pointsman.hooks.packs.calls import names
from pointsman.shell.carried import Prefix, after_options, these
from pointsman.shell.effects import Invocation
from pointsman.shell.interpreters import code_of

_SSH = Prefix(these(
    "-p", "-i", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-E", "-W", "-m", "-e",
    "-Q", "-S", "-w",
))  # fmt: skip
_EXEC = Prefix(these(
    "-u", "--user", "-w", "--workdir", "-e", "--env", "--env-file", "-n", "--namespace", "-c",
    "--container",
    "--context", "--kubeconfig", "--index", "--detach-keys", "-f", "--file", "-p",
    "--project-name", "-H", "--host",
    "--profile", "--project-directory",
))  # fmt: skip
_INSIDE = frozenset(
    {"pack.databases", "pack.network", "pack.reverse-shells", "pack.downloads", "pack.secrets"}
)
"""What is as bad from within a container: its files are its own."""
_DOCKERS = frozenset({"docker", "podman", "nerdctl", "docker-compose", "kubectl", "oc"})
_LANGUAGES = names("perl ruby node nodejs php lua deno bun python python2 python3 pwsh powershell")
_SHELL_TEXT = re.compile(
    r"\s*(?:sudo\s+)?(?:rm|git|dd|find|chmod|chown|mv|shred|mkfs[.\w]*)\s+(?:-|/|~|\.|[a-z]+\s+[-.])"
)
"""What is no code of another language but a command of a shell: who hands it over means that."""
_MOST = 256


def inner_commands(
    invocations: Iterable[Invocation],
) -> Iterator[tuple[Invocation, str, frozenset[str]]]:
    """Yield calls that run a command elsewhere: its text, the packs that look at it (none: all)."""
    left = _MOST
    for each in invocations:
        left -= 1
        if left < 0:
            return
        if each.program in {"ssh", "autossh", "dbclient"}:
            rest = after_options(list(each.argv[1:]), _SSH)
            if rest[1:]:
                yield each, " ".join(rest[1:]), frozenset()
            elif rest and each.stdin is not None:
                yield each, each.stdin, frozenset()
        elif each.program in _LANGUAGES and _SHELL_TEXT.match(code := code_of(each) or ""):
            yield each, code, frozenset()
        elif each.program in _DOCKERS:
            words = _within(each)
            if words:
                yield each, " ".join(map(_quoted, words)), _INSIDE


def _within(each: Invocation) -> list[str]:
    """``docker exec web psql …``, ``docker compose exec db …``, ``kubectl exec pod -- …``."""
    words = after_options(list(each.argv[1:]), _EXEC)
    if words[:1] == ["compose"]:
        words = after_options(words[1:], _EXEC)
    if words[:1] != ["exec"]:
        return []
    if "--" in words:
        return words[words.index("--") + 1 :]
    rest = after_options(words[1:], _EXEC)
    return after_options(rest[1:], Prefix())


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
