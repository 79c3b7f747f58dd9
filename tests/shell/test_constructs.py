"""Every construct of the shell and every carrier: what is run by it, what only stands there."""

import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import CHANGES, UNKNOWN, Kind

GONE = {"/w/a"}
NOTHING: set[str] = set()

RUN = {
    "assignment": "X=a; rm $X",
    "assignment before": "X=a sh -c 'rm $X'",
    "append": "X=; X+=a; rm $X",
    "list": "X=(rm a); ${X[@]}",
    "default": "rm ${X:-a}",
    "default assigned": ": ${X:=a}; rm $X",
    "suffix": "X=a.txt; rm ${X%.txt}",
    "IFS": "IFS=,; X=rm,a; $X",
    "braces": "rm {a,}",
    "tilde": "HOME=/w; rm ~/a",
    "ANSI-C": "$'\\x72m' $'\\141'",
    "quotes": "r'm' \"a\"",
    "backslash": "\\r\\m a",
    "cd": "cd /w; cd d; cd ..; rm a",
    "cd in a subshell": "(cd d); rm a",
    "subshell": "(rm a)",
    "group": "{ rm a; }",
    "function": "f() { rm $1; }; f a",
    "function in one": "g() { rm a; }; f() { g; }; f",
    "alias": "alias x='rm a'; x",
    "here-document": "sh <<E\nrm a\nE",
    "here-string": "sh <<< 'rm a'",
    "source of a process": "source <(echo rm a)",
    "substitution": "$(echo rm) a",
    "backquotes": "rm `echo a`",
    "substitution runs": "echo $(rm a)",
    "base64": "echo cm0gYQ== | base64 -d | sh",
    "hex": "echo 726d2061 | xxd -r -p | sh",
    "printf": "printf 'r%s a' m | sh",
    "octal": "printf '\\162\\155 a' | sh",
    "rev": "echo 'a mr' | rev | sh",
    "sudo": "sudo -u root rm a",
    "doas": "doas -u root rm a",
    "env": "env -i A=b rm a",
    "nice": "nice -n 5 rm a",
    "timeout": "timeout -k 1 5 rm a",
    "nohup": "nohup rm a &",
    "setsid": "setsid -f rm a",
    "stdbuf": "stdbuf -oL rm a",
    "xargs": "echo a | xargs rm",
    "xargs in place": "echo a | xargs -I% rm %",
    "find": "find a -exec rm {} +",
    "parallel": "parallel rm ::: a",
    "watch": "watch -n 1 rm a",
    "script": "script -c 'rm a' /dev/null",
    "tmux": "tmux new -d 'rm a'",
    "screen": "screen -dm rm a",
    "trap": "trap 'rm a' EXIT",
    "coproc": "coproc X { rm a; }",
    "busybox": "busybox rm a",
    "ssh": "ssh localhost 'cd /w && rm a'",
    "make": "make -f - <<< $'all:\\n\\trm a'",
    "sh -c": "sh -c 'bash -c \"rm a\"'",
    "eval": "eval eval rm a",
    "exec": "exec rm a",
    "command": "command rm a",
    "python": "python3 -c \"import os; os.remove('a')\"",
    "python runs": "python3 -c \"import os; os.system('rm a')\"",
    "script written": "echo 'rm a' > /tmp/s; sh /tmp/s",
    "script made to run": "echo 'rm a' > /tmp/s; chmod +x /tmp/s; /tmp/s",
    "if": "if true; then rm a; fi",
    "case": "case x in x) rm a;; esac",
    "for": "for x in a; do rm $x; done",
    "while": "while true; do rm a; break; done",
    "and": "true && rm a",
    "or": "false || rm a",
    "pipe": "ls | rm a",
    "background": "rm a &",
    "redirection": "> a",
    "redirection by name": "X=a; echo > $X",
    "descriptor": "exec 3> a; echo x >&3",
    "git": "git rm a",
    "git alias": "git -c alias.x='!rm a' x",
}
SAID = {
    "assignment": "X='rm a'",
    "printed": "X=a; echo rm $X",
    "single quotes": "echo '$(rm a)'",
    "escaped": "echo \\$\\(rm a\\)",
    "comment": "ls # rm a",
    "function not called": "f() { rm a; }",
    "alias not used": "alias x='rm a'",
    "quoted alias": "alias x='rm a'; echo x",
    "here-document": "cat <<'E'\nrm a\n$(rm a)\nE",
    "here-string": "cat <<< 'rm a'",
    "base64": "echo cm0gYQ== | base64 -d",
    "printf": "printf 'rm a'",
    "xargs": "echo a | xargs echo rm",
    "find": "find . -name -delete",
    "parallel": "parallel echo ::: 'rm a'",
    "sh -c": "sh -c 'echo rm a'",
    "python": "python3 -c \"print('rm a')\"",
    "command -v": "command -v rm a",
    "make": "make -n",
    "grep": "grep 'rm a' b",
    "git": "git commit -m 'rm a'",
    "trap taken away": "trap - EXIT",
    "timeout": "timeout 5 echo rm a",
    "coproc": "coproc cat",
    "pattern": "case 'rm a' in *) ls;; esac",
    "test": "[[ 'rm a' == rm* ]]",
    "arithmetic": "echo $((3 > 2))",
    "ssh": "ssh -V localhost",
}


def changed(command: str) -> set[str]:
    found = analyse(command, cwd="/w", home="/home/dev")
    assert not found.unverified
    kept = {each.path for each in found.effects if each.kind in CHANGES}
    return {path for path in kept if not path.startswith(("/dev/", "/tmp/"))}


@pytest.mark.parametrize("command", RUN.values(), ids=RUN)
def test_what_is_run_is_seen(command: str) -> None:
    assert "/w/a" in changed(command)


@pytest.mark.parametrize("command", SAID.values(), ids=SAID)
def test_what_only_stands_there_is_not(command: str) -> None:
    assert "/w/a" not in changed(command)


@pytest.mark.parametrize(
    "command",
    [
        "(" * 100 + "ls" + ")" * 100,
        "eval " * 100 + "ls",
        "x" * 200_000,
        "f() { g; g; }; g() { h; h; }; h() { " + "ls; " * 4_000 + "}; f; f; f; f; f; f; f",
        "$(curl x)",
        "curl x | sh",
        "eval $X",
    ],
)
def test_what_cannot_be_established_is_said(command: str) -> None:
    found = analyse(command, cwd="/w", home="/home/dev")
    assert found.unverified


@pytest.mark.parametrize("command", ["perl -e 'x()'", "./what", "node x.js", "source ./x"])
def test_what_another_program_does_is_opaque(command: str) -> None:
    found = analyse(command, cwd="/w", home="/home/dev")
    assert (Kind.OPAQUE, UNKNOWN) in {(each.kind, each.path) for each in found.effects}
