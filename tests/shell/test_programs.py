import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import ACTS, Kind
from pointsman.shell.programs import changes_by_words

R, W, D, T, M, C = Kind.READ, Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE, Kind.CHMOD


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("cat a", []),
        ("a > x", [(W, "x")]),
        ("a >> x 2> y", [(W, "x"), (W, "y")]),
        ("a < x", [(R, "x")]),
        ("a 2>&1", []),
        ("> x", [(W, "x")]),
        ("rm a b", [(D, "a"), (D, "b")]),
        ("rm -r a", [(T, "a")]),
        ("rm --recurs a", [(T, "a")]),
        ("rm -- -r", [(D, "-r")]),
        ("mv a b", [(M, "a"), (W, "b"), (W, "b/a")]),
        ("mv -t d a b", [(M, "a"), (M, "b"), (W, "d"), (W, "d/a"), (W, "d/b")]),
        ("cp x/a d", [(W, "d"), (W, "d/a")]),
        ("cp -r x/. d", [(W, "d")]),
        ("scp h:a .", [(W, "."), (W, "a")]),
        ("ln -s a b", [(W, "b"), (W, "b/a")]),
        ("install -m 644 a b", [(W, "b"), (W, "b/a")]),
        ("tee -a x y", [(W, "x"), (W, "y")]),
        ("truncate -s 0 x", [(W, "x")]),
        ("dd if=a of=b bs=1", [(W, "b")]),
        ("sed s/a/b/ x", []),
        ("sed -i s/a/b/ x", [(W, "x")]),
        ("sed -i.bak -e s/a/b/ x y", [(W, "x"), (W, "y")]),
        ("perl -pi -e s/a/b/ x", [(W, "x")]),
        ("perl -ne print x", []),
        ("awk '{print > \"x\"}' a", [(W, "x")]),
        ("awk -i inplace '{print}' a", [(W, "a")]),
        ("sort -o x a", [(W, "x")]),
        ("sort --output=x a", [(W, "x")]),
        ("yq -i .a=1 x", [(W, ".a=1"), (W, "x")]),
        ("chmod +x a", [(C, "a")]),
        ("chmod -x a", [(C, "a")]),
        ("chown -R me a", [(C, "a")]),
        ("chmod --reference=a b", [(C, "b")]),
        ("rsync -a a/ b", [(W, "b"), (W, "b/a")]),
        ("rsync -a --delete a/ b", [(T, "b"), (W, "b"), (W, "b/a")]),
        ("rsync -a a host:b", []),
        ("tar xf a.tar -C d", [(W, "d")]),
        ("tar xf a.tar m/n", [(W, "."), (W, "m/n"), (W, "m/n/**")]),
        ("tar czf a.tgz d", [(W, "a.tgz")]),
        ("tar -C / -xf a.tar w", [(W, "../"), (W, "."), (W, "**")]),
        ("unzip -o a.zip -d d", [(W, "d")]),
        ("unzip -l a.zip", []),
        ("curl -o x https://h/y", [(W, "x")]),
        ("wget -O x https://h/y", [(W, "x")]),
        ("find a -delete", [(T, "a")]),
        ("find a -name '*.o' -delete", [(T, "a/**/*.o")]),
        ("find . -name -delete", []),
        ("find . -fprint x", [(W, "x")]),
        ("git rm a", [(T, "a")]),
        ("git mv a b", [(M, "a"), (M, "b")]),
        ("git -C d checkout -- a", [(W, "d/a")]),
        ("git clean -fd", [(T, ".")]),
        ("git clean -n", []),
        ("git diff --output=x", [(W, "x")]),
        ("python3 -c \"open('x', 'w')\"", [(W, "x")]),
        ("python3 -c \"open('x')\"", []),
        ("python3 -c \"import os; os.rename('a', 'b')\"", [(M, "a"), (W, "b")]),
        ("python3 -c \"from pathlib import Path; p = Path('d') / 'x'; p.unlink()\"", [(D, "d/x")]),
        ("python3 -c \"import os; getattr(os, 'chmod')('a' + 'b', 0)\"", [(C, "ab")]),
        ('python3 -c "import shutil; shutil.rmtree(f\'{\\"a\\"}/b\')"', [(T, "a/b")]),
    ],
)
def test_what_a_program_does_to_files(command: str, effects: list[tuple[Kind, str]]) -> None:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    named = {".": "/w", "../": "/"}
    wanted = {(kind, named.get(path, f"/w/{path}")) for kind, path in effects}
    assert {(each.kind, each.path) for each in found if each.kind not in ACTS} == wanted


@pytest.mark.parametrize(
    ("command", "closes"),
    [
        ("chmod +x a", False),
        ("chmod 755 a", False),
        ("chmod 0700 a", False),
        ("chmod u+rw a", False),
        ("chmod 000 a", True),
        ("chmod 600 a", True),
        ("chmod a-r a", True),
        ("chmod -R u+rwX a", False),
        ("chmod -R 755 a", True),
        ("chown root a", True),
    ],
)
def test_whether_a_mode_closes_what_lies_below(command: str, closes: bool) -> None:
    [effect] = analyse(command, cwd="/w", home="/home/dev").effects
    assert ("closes" in effect.construct) is closes


def test_what_is_known_by_its_words() -> None:
    assert changes_by_words("rm")
    assert changes_by_words("vim")
    assert not changes_by_words("frobnicate")
