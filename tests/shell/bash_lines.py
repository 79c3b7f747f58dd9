"""Command lines that change files in the directory they run in, made of the shell's constructs.

A bare word never begins with something that expands: whatever it is, it stays in the directory.
"""

from collections.abc import Callable, Sequence

NAMES = ("a", "b", "'x y'", "d/c", "d", "new", "d/n")
Choose = Callable[[Sequence[str]], str]


class Lines:
    """Makes command lines from choices that somebody else takes."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._named = 0

    def script(self, depth: int = 3) -> str:
        parts = [self.statement(depth) for _ in range(int(self._choose("1234")))]
        return self._choose((";", "\n")).join(parts)

    def statement(self, depth: int) -> str:
        kinds = ["simple"] * 4 + ["assign"] * 4 + ["builtin"] * 3
        if depth > 0:
            kinds += ["compound"] * 6
        kind = self._choose(kinds)
        if kind == "simple":
            return self.simple(depth)
        if kind == "assign":
            return self.assign(depth)
        return self.builtin(depth) if kind == "builtin" else self.compound(depth - 1)

    def variable(self) -> str:
        return self._choose(("X", "Y", "Z"))

    def value(self, depth: int) -> str:
        return self._choose((
            "a", "b", "'a b'", "d/c", "new", '"x y"', "$'a\\tb'", "a:b", "'*'", "", "A", "x.a",
            f"${self.variable()}", f'"${self.variable()}"', f"${{{self.variable()}:-b}}",
            f"${{{self.variable()}:+a}}", f"${{{self.variable()}%.a}}",
            f"${{{self.variable()}#x.}}",
            f"${{{self.variable()}/a/b}}", f"${{{self.variable()}//a/new}}",
            f"${{{self.variable()}^^}}", f"${{{self.variable()},,}}", f"${{{self.variable()}:0:1}}",
            f"${{#{self.variable()}}}", f"${{!{self.variable()}}}", "$((1+2))", "X", "d",
            self.substitution(depth),
        ))  # fmt: skip

    def substitution(self, depth: int) -> str:
        inner = self._choose((
            "echo a b", "printf '%s ' a b", "echo ab | tr b a", "echo a | rev", "echo new; echo b",
            "cat <<< b", "printf 'a\\nb\\n' | head -n 1", "echo YQ== | base64 -d", "true",
            "if true; then echo a; else echo b; fi", "for i in a b; do echo $i; done",
            f"echo ${self.variable()}", "basename d/a", "seq 2", "false || echo b", "cat b",
            f"echo \"${{{self.variable()}}}\"", "F a", "eval echo a", "bash -c 'echo b'",
        ))  # fmt: skip
        form = self._choose(("$(%s)", "`%s`"))
        del depth
        return form % (inner if form[0] == "$" else inner.replace("\\", "\\\\"))

    def word(self, depth: int) -> str:
        return self._choose((
            *NAMES, f"${self.variable()}", f'"${self.variable()}"', "new{1,2}", "{a,b}", "n{a..c}",
            "new$((1+1))", '"$1"', "$1", '"$@"', "a$X", '"$Y"b', "d/$X", "d/*", "?", "[ab]", "*",
            f"${{{self.variable()}:-new}}", '"${L[@]}"', "${L[0]}", "${L[*]}", "$(echo a)", "n\\ w",
            '"d"/c', "d/{c,n}", "'$X'", f"n${{{self.variable()}:-1}}", "~/h", "$HOME/h", "~+/a",
            "${L[@]:1}", "${#L[@]}", '"${@:2}"', "${!X}", "d/${Y:-c}", "b${X:+2}",
        ))  # fmt: skip

    def simple(self, depth: int) -> str:
        def word() -> str:
            return self.word(depth)

        plain = self._choose((
            f"rm -f {word()}", f"rm -rf {word()} {word()}", f"touch {word()}", f"mkdir -p {word()}",
            f"cp -r {word()} {word()}", f"mv {word()} {word()}", f"echo t > {word()}",
            f"echo t >> {word()}", f"chmod 600 {word()}", f"ln -sf {word()} {word()}",
            f"tee {word()} <<< t", f"sed -i s/t/u/ {word()}", f": > {word()}",
            f"truncate -s 1 {word()}",
            f"rmdir {word()}", f"cp -t d {word()}", f"find {word()} -name 'c*' -delete",
            f"find . -name {self._choose(NAMES)} -exec rm -rf {{}} +",
            f"dd if=/dev/null of={word()}",
            f"echo {self._choose(NAMES)} | xargs rm -rf", f"rm -f -- {word()}", f"unlink {word()}",
            "printf '%s\\n' a b | xargs -I% touch n%", f"echo a b | tee {word()} > {word()}",
            f"cat > {word()} <<E\nt $X\nE", f"install -m 600 a {word()}", f"mv -t d {word()}",
            f"{{ echo t; }} > {word()}", f"touch {word()} 2>/dev/null", f"a=1 touch {word()}",
            "python3 -c \"open('new', 'w')\"", "awk 'BEGIN { print > \"n\" }'", f"F {word()}",
            f"G {word()} {word()}",
        ))  # fmt: skip
        if depth <= 0:
            return plain
        return self._choose((plain, plain, plain, self.carried(plain)))

    def carried(self, plain: str) -> str:
        quoted = "'" + plain.replace("'", "'\\''") + "'"
        if plain[0] in "{FGa:" or "<<E" in plain or "|" in plain:
            return self._choose((f"eval {quoted}", f"bash -c {quoted}", f"bash <<< {quoted}"))
        return self._choose((
            f"eval {quoted}", f"bash -c {quoted}", f"env X=b {plain}", f"nice {plain}",
            f"timeout 5 {plain}", f"echo {quoted} | bash", f"bash <<< {quoted}", f"command {plain}",
            f"bash -c {quoted} x b a", f"source <(echo {quoted})", f"echo {quoted} > s.sh; sh s.sh",
            f"cat > s.sh <<'E'\n{plain}\nE\nchmod +x s.sh; bash ./s.sh b", f"trap {quoted} EXIT",
            f"nohup {plain} > /dev/null", f"X=b bash -c {quoted}", f"export X; bash -c {quoted}",
            f"echo {quoted} > s.sh; . ./s.sh", f"time {plain}", f"! {plain}", f"({plain})",
            f"printf '%s' {quoted} | base64 | base64 -d | sh", f"alias q={quoted}; q",
            f"coproc {plain}", f"{plain} &\nwait", f"exec 5>{self._choose(NAMES)}; echo t >&5",
        ))  # fmt: skip

    def assign(self, depth: int) -> str:
        name = self.variable()
        value = self.value(depth)
        return self._choose((
            f"{name}={value}", f"{name}={value}", f"{name}+={value}", f"unset {name}",
            f"L=({self.word(0)} {self.word(0)})", f"L+=({self.word(0)})", f"L[1]={value}",
            f"export {name}={value}", f"set -- {self.word(0)} {self.word(0)}", "shift",
            f"read {name} Y <<< {value or 'a'}", f"printf -v {name} %s {value or 'a'}",
            f"mapfile -t L <<< {value or 'a'}", "IFS=:", "IFS=' '", f"{name}=x; {name}+=.a",
            f": ${{{name}:={value}}}", f"declare -n Z={name}", f"(({name}=2, Y=3))",
            f"local {name}={value} 2>/dev/null", f"readonly Q={value}",
            f"IFS=: read {name} Y <<< a:b", f"echo a | read {name}", f"{name}=a Y=b",
            f"declare {name}={value} Y=${name}",
        ))  # fmt: skip

    def builtin(self, depth: int) -> str:
        return self._choose((
            "cd d", "cd d && true", "cd", "cd -", "pushd d > /dev/null", "popd > /dev/null",
            "cd ~+", f"F() {{ {self.simple(0)}; }}", f"G() {{ local X=b; {self.simple(0)}; }}",
            "F() { echo $1; }", f"F() ( cd d; {self.simple(0)} )", "set -f", "shopt -s nullglob",
            "F", "G a", f"G() {{ {self.assign(0)}; {self.simple(0)}; }}",
        ))  # fmt: skip

    def compound(self, depth: int) -> str:
        one, two = self.statement(depth), self.statement(depth)
        test = self._choose(("true", "false", "[ -e a ]", "[[ $X == a ]]", "test -d d", "[ $X ]"))
        return self._choose((
            f"if {test}\nthen {one}\nelse {two}\nfi", f"if {test}\nthen {one}\nfi",
            f"{test} && {{ {one}\n}}", f"{test} || {{ {one}\n}}", f"( {one}\n{two}\n)",
            f"for X in a b\ndo {one}\ndone", f"for Y in {self.word(0)}\ndo {one}\ndone",
            f"{{ {one}\n{two}\n}}", f"case $X in a) {one}\n;; *) {two}\n;; esac",
            f"i=0\nwhile ((i++ < 2))\ndo {one}\ndone", f"for ((i=0; i<2; i++))\ndo {one}\ndone",
            f"printf 'a\\nb\\n' | while read -r X\ndo {one}\ndone",
            f"while read -r X\ndo {one}\ndone <<< new", f"{{ {one}\n}} | cat",
            f"until true\ndo {one}\ndone", f"for X\ndo {one}\ndone", f"{{ {one}\n}} > out",
            f"X=$( {one}\n)", f"for X in a b\ndo {one}\nbreak\ndone",
            f"if {test}\nthen {one}\nelif {test}\nthen {two}\nfi", self.listed(test),
        ))  # fmt: skip

    def listed(self, test: str) -> str:
        """A list or a pipe that ends with a redirection, which is its last command's alone."""
        word, other = self.word(0), self.word(0)
        before = self._choose((
            "cd d &&", "cd d 2> out && cd e &&", f"{test} ||",
            "cd d | true &&", f"cd d && {test} &&", f"cd d && {test} ||", "pushd d > out &&",
            f"X={self._choose(('a', 'b'))} &&", f"cd d && echo t > {other} &&", "cd d && !",
            "cd d && echo t |", "cd d && echo t 2>&1 |",
            f"cd d && echo t > {other} | cat && true |",
        ))  # fmt: skip
        return self._choose((
            f"{before} cat > {word}", f"{before} cat <<E > {word}\nt\nE",
            f"{before} cat > {word} <<< t", f"{before} cat <<E | cat > {word}\nt\nE",
            f"( {before} cat > {word} )", f"{before} cat > {word} | tee {other}",
            f"{before} cat > {word} 2>&1 >> {other}",
        ))  # fmt: skip
