import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import ACTS, UNKNOWN, Kind

N, P, U, X = Kind.NETWORK, Kind.PROCESS, Kind.PRIVILEGE, Kind.EXECUTE
OPAQUE = (Kind.OPAQUE, UNKNOWN)


@pytest.mark.parametrize(
    ("command", "acts"),
    [
        ("ls -l", []),
        ("echo curl kill sudo", []),
        ("curl -o x https://h/y", [(N, "https://h/y")]),
        ("ssh -p 22 me@h ls", [(N, "me@h"), (N, "ls")]),
        ("scp a h:b", [(N, "h")]),
        ("rsync -a a b", []),
        ("socat - TCP:h:1", [(N, "h:1")]),
        ("pip install x", [(N, "x")]),
        ("pip list", []),
        ("echo a > /dev/tcp/h/80", [(N, "h/80")]),
        ("kill -9 12", [(P, "12")]),
        ("pkill -f x", [(P, "x")]),
        ("fuser -k 80/tcp", [(P, "80/tcp")]),
        ("fuser 80/tcp", []),
        ("systemctl stop x", [(P, "x")]),
        ("systemctl status x", []),
        ("service x stop", [(P, "x")]),
        ("reboot", [(P, "machine")]),
        ("sudo ls", [(U, "root")]),
        ("sudo -u me ls", [(U, "me")]),
        ("su - me -c ls", [(U, "me")]),
        ("chmod u+s a", [(U, "/w/a")]),
        ("chmod 4755 a", [(U, "/w/a")]),
        ("chmod 755 a", []),
        ("./a b", [(X, "/w/a"), OPAQUE]),
        ("/usr/bin/ls", []),
        ("sh a", [(X, "/w/a"), OPAQUE]),
        ("sh -c ls", [(X, "")]),
        ("python3 a.py b", [(X, "/w/a.py"), OPAQUE]),
        (". ./a", [(X, "/w/a"), OPAQUE]),
    ],
)
def test_what_a_program_does_beside_files(command: str, acts: list[tuple[Kind, str]]) -> None:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    told = {(each.kind, each.path) for each in found if each.kind in ACTS}
    assert told == set(acts)


def test_every_act_names_what_does_it() -> None:
    found = analyse("eval $X; sudo kill $P", cwd="/w", home="/home/dev").effects
    assert {each.construct for each in found} == {"eval", "sudo", "kill"}
    assert UNKNOWN in {each.path for each in found}
