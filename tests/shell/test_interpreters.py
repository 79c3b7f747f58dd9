import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import CHANGES, Kind

W, D, T, M = Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE


def changes(command: str) -> set[tuple[Kind, str]]:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    return {(each.kind, each.path) for each in found if each.kind in CHANGES}


def is_opaque(command: str) -> bool:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    return any(each.kind is Kind.OPAQUE for each in found)


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("python3 -c \"exec('import os; os.remove(\\'a\\')')\"", {(D, "/w/a")}),
        ("python3 -c \"eval('__import__(\\'os\\').remove(\\'a\\')')\"", {(D, "/w/a")}),
        (
            "python3 -c \"import base64,os; exec(base64.b64decode('b3MucmVtb3ZlKCdhJyk='))\"",
            {(D, "/w/a")},
        ),
        ("python3 -c \"import os; os.system('rm ' + 'a')\"", {(D, "/w/a")}),
        ("python3 -c \"import os; os.remove(''.join(['a', 'b']))\"", {(D, "/w/ab")}),
        ("python3 -c \"import os; os.remove(bytes.fromhex('61').decode())\"", {(D, "/w/a")}),
        ("python3 - <<'E'\nopen('a', 'w')\nE", {(W, "/w/a")}),
        ("python3 -c \"print('os.remove(a)')\"", set()),
        ("perl -e 'unlink \"a\"'", {(D, "/w/a")}),
        ('perl -e \'open(my $f, ">", "a")\'', {(W, "/w/a")}),
        ("ruby -e 'FileUtils.rm_rf(\"d\")'", {(T, "/w/d")}),
        ("ruby -e 'puts File.read(\"a\")'", set()),
        ("node -e 'fs.rmSync(\"d\", {recursive: true})'", {(T, "/w/d")}),
        ('node -e \'fs.writeFileSync("a", "x")\'', {(W, "/w/a")}),
        ('node -e \'fs.openSync("a", "r")\'', set()),
        ('node -e \'fs.openSync("a", "w")\'', {(W, "/w/a")}),
        ('node -e \'require("child_process").execSync("rm a")\'', {(D, "/w/a")}),
        ("php -r 'unlink(\"a\");'", {(D, "/w/a")}),
        ('lua -e \'os.execute("ls") os.rename("a", "b")\'', {(M, "/w/a")}),
        ("awk 'BEGIN { system(\"rm a\") }'", {(D, "/w/a")}),
        ("sed -n 'w a' b", {(W, "/w/a")}),
        ("sed 's/x/y/w a' b", {(W, "/w/a")}),
        ("sed '1e rm a' b", {(D, "/w/a")}),
        ("sed 's/we /w/' b", set()),
        ("vim -c '!rm a' -c q b", {(D, "/w/a"), (W, "/w/b")}),
        ("ed b <<< '!rm a'", {(D, "/w/a"), (W, "/w/b")}),
        ("fd . d -x rm -r", {(T, "/w/d/**")}),
        ("fd x d", set()),
    ],
)
def test_code_of_another_language_is_read(command: str, effects: set[tuple[Kind, str]]) -> None:
    assert changes(command) == effects


@pytest.mark.parametrize(
    ("command", "opaque"),
    [
        ("python3 -c 'import os; os.getcwd()'", False),
        ("python3 -c 'import mine; mine.go()'", True),
        ("python3 -c 'exec(input())'", True),
        ("node -e 'x()'", True),
        ("python3 x.py", True),
        ("ls", False),
    ],
)
def test_what_cannot_be_known_is_opaque(command: str, opaque: bool) -> None:
    assert is_opaque(command) is opaque


def test_paths_in_code_stand_with_what_is_opaque() -> None:
    found = analyse("node -e 'x(\"src/a.js\")'", cwd="/w", home="/home/dev").effects
    assert (Kind.OPAQUE, "/w/src/a.js") in {(each.kind, each.path) for each in found}
