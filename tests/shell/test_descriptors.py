"""What is written by the name of a descriptor, or of the shell's directory in /proc."""

import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.descriptors import placed
from pointsman.shell.effects import UNKNOWN, Kind


def written(command: str) -> set[str]:
    effects = analyse(command, cwd="/r/src", home="/h").effects
    return {each.path for each in effects if each.kind in {Kind.WRITE, Kind.CHMOD}}


@pytest.mark.parametrize(
    "command",
    [
        "exec 57< ../t; echo x > /dev/fd/57",
        "cat 5< ../t > /proc/self/fd/5",
        "exec 3< ../t; echo x > /proc/$$/fd/3",
        "exec 3< ../t; echo x | tee /proc/thread-self/fd/3",
        "exec 3< ../t; cp a /dev/fd/3",
        "exec {n}< ../t; echo x > /dev/fd/$n",
        "sed p /dev/null > /dev/stdin < ../t",
        'python3 -c \'open("/dev/fd/3", "w")\' 3< ../t',
        "chmod 777 /dev/fd/4 4< ../t",
        "echo x > /proc/self/cwd/../t",
        "cd ..; echo x > /proc/self/cwd/t",
        "echo x > /proc/$$/cwd/../t",
        "echo x > /proc/self/root/r/t",
        "echo x > /proc/self/task/1/root/r/t",
    ],
)
def test_the_file_behind_it_is_named(command: str) -> None:
    assert "/r/t" in written(command)


@pytest.mark.parametrize(
    "command",
    [
        "exec 3>&1; echo x > /dev/fd/3",
        "echo x > /dev/stderr < ../t",
        "cat < ../t > /dev/stdout",
        "while read -r line; do echo $line > /dev/fd/2; done < ../t",
        "exec 3< ../t; cat /dev/fd/3",
        "diff <(sort ../t) /dev/stdin < ../t",
    ],
)
def test_a_stream_is_no_file(command: str) -> None:
    assert "/r/t" not in written(command)


def test_a_place_in_proc_is_a_directory_like_any_other() -> None:
    assert placed("/proc/self/cwd", "/r") == "/r"
    assert placed("/proc/self/cwd/a", "/") == "/a"
    assert placed(f"/proc/{UNKNOWN}/root", "/r") == "/"
    # Another process may stand elsewhere.
    assert placed("/proc/1/cwd/a", "/r") == "/proc/1/cwd/a"
    assert placed("/proc/self/cwdx", "/r") == "/proc/self/cwdx"
