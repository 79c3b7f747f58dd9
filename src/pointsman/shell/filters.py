"""Programs that print what they read, changed: decoders, translators, pickers of lines."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from pointsman.shell.arguments import names, option_value, options, plain_words
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.escapes import unescape
from pointsman.shell.state import resolve

Texts = Callable[[str], str | None]
Change = Callable[[Invocation, str], str]


def _reads(change: Change, *values: str, first: int = 0) -> Callable[[Invocation, Texts], str]:
    """Return the reader of a filter: its files where they are known, else its stdin."""

    def read(each: Invocation, texts: Texts) -> str:
        words = plain_words(each, frozenset(values))[first:]
        if not words or words == ["-"]:
            source = each.stdin
        else:
            known = [
                each.stdin if word in {"-", "/dev/stdin"} else texts(resolve(word, each.cwd))
                for word in words
            ]
            source = None if None in known else "".join(text or "" for text in known)
        if source is None or UNKNOWN in source or len(source) > 1 << 17:
            return UNKNOWN
        return change(each, source)

    return read


def _same(each: Invocation, text: str) -> str:
    return text if not options(each) - {"-u", "-a", "-v", "-s"} else UNKNOWN


def _base64(each: Invocation, text: str) -> str:
    given = options(each)
    try:
        if given & {"-d", "-D", "--decode"}:
            return base64.b64decode(text, validate=False).decode("utf-8", "replace")
        coded = base64.b64encode(text.encode()).decode()
    except (binascii.Error, ValueError):
        return UNKNOWN
    width = option_value(each, "-w", "--wrap") or next(
        (word[2:] for word in each.argv if re.fullmatch(r"-w\d+", word)), "76"
    )
    step = int(width) if width.isdigit() else 0
    if not step:
        return coded
    return "".join(f"{coded[at : at + step]}\n" for at in range(0, len(coded), step))


def _base32(each: Invocation, text: str) -> str:
    if not options(each) & {"-d", "-D", "--decode"}:
        return UNKNOWN
    try:
        return base64.b32decode("".join(text.split())).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return UNKNOWN


def _hex(each: Invocation, text: str) -> str:
    if not {"-r", "-p"} <= options(each) | ({"-r", "-p"} if "-ps" in each.argv else set()):
        return UNKNOWN
    try:
        return bytes.fromhex("".join(text.split())).decode("utf-8", "replace")
    except ValueError:
        return UNKNOWN


def _openssl(each: Invocation, texts: Texts) -> str:
    words = set(each.argv[1:])
    decodes = {"-d"} <= words and ({"base64"} & words or {"-base64", "-a"} & words)
    if not decodes or each.stdin is None or {"-in", "-out"} & words:
        return UNKNOWN
    del texts
    return _base64(Invocation(("base64", "-d"), each.cwd), each.stdin)


def _rev(_each: Invocation, text: str) -> str:
    return "\n".join(line[::-1] for line in text.split("\n"))


def _tac(_each: Invocation, text: str) -> str:
    return "".join(reversed(text.splitlines(keepends=True)))


_SETS = {
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "lower": "abcdefghijklmnopqrstuvwxyz",
    "digit": "0123456789", "space": " \t\n\r\v\f", "blank": " \t",
    "alpha": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "alnum": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}  # fmt: skip


def _set_of(text: str) -> str:
    text = re.sub(r"\[:(\w+):\]", lambda found: _SETS.get(found[1], ""), unescape(text))

    def span(found: re.Match[str]) -> str:
        low, high = ord(found[1]), ord(found[2])
        return "".join(map(chr, range(low, min(high, low + 512) + 1)))

    return re.sub(r"(.)-(.)", span, text, flags=re.DOTALL)


def _tr(each: Invocation, texts: Texts) -> str:
    del texts
    words = [word for word in each.argv[1:] if not re.fullmatch(r"-[dsctC]+|--\w+", word)]
    given = options(each)
    text = each.stdin
    if text is None or UNKNOWN in text or not words:
        return UNKNOWN
    first = _set_of(words[0])
    second = _set_of(words[1]) if len(words) > 1 else ""
    if given & {"-c", "-C", "--complement"}:
        others = "".join(dict.fromkeys(char for char in text if char not in first))
        first, second = others, second[-1:] * len(others)
    if given & {"-d", "--delete"}:
        return text.translate(dict.fromkeys(map(ord, first)))
    if second:
        second = (second + second[-1] * len(first))[: len(first)]
        # The last of two that are the same wins in both.
        text = text.translate(dict(zip(map(ord, first), second, strict=True)))
    if given & {"-s", "--squeeze-repeats"}:
        marks = re.escape(second or first)
        text = re.sub(f"([{marks}])\\1+", r"\1", text) if marks else text
    return text


def _count(each: Invocation) -> int | None:
    given = option_value(each, "-n", "--lines")
    found = next((re.fullmatch(r"-n?(\d+)", word) for word in each.argv[1:]
                  if re.fullmatch(r"-n?(\d+)", word)), None)  # fmt: skip
    text = found[1] if found else given if given is not None else "10"
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


def _head(each: Invocation, text: str) -> str:
    size = option_value(each, "-c", "--bytes") or next(
        (word[2:] for word in each.argv if re.fullmatch(r"-c\d+", word)), None
    )
    lines = text.splitlines(keepends=True)
    if size is not None:
        first = each.program == "head"
        if not size.isdigit():
            return UNKNOWN
        return text[: int(size)] if first else text[-int(size) :] if int(size) else ""
    count = _count(each)
    if count is None:
        return UNKNOWN
    return "".join(lines[:count] if each.program == "head" else lines[-count:] if count else [])


def _cut(each: Invocation, text: str) -> str:
    chars = option_value(each, "-c", "-b") or next(
        (word[2:] for word in each.argv if re.match(r"-[cb]\d", word)), None
    )
    fields = option_value(each, "-f") or next(
        (word[2:] for word in each.argv if re.match(r"-f\d", word)), None
    )
    mark = option_value(each, "-d") or next(
        (word[2:] for word in each.argv if re.match(r"-d.", word)), "\t"
    )
    found = re.fullmatch(r"(\d+)?(-)?(\d+)?", chars or fields or "?")
    if found is None or not found[0]:
        return UNKNOWN
    first = int(found[1] or 1) - 1
    last = int(found[3]) if found[3] else None if found[2] else first + 1
    out = []
    for line in text.splitlines():
        parts = list(line) if chars else line.split(mark)
        whole = len(parts) == 1 and not chars
        out.append(line if whole else ("" if chars else mark).join(parts[first:last]))
    return "".join(f"{line}\n" for line in out)


def _sort(each: Invocation, text: str) -> str:
    if options(each) - {"-u", "-r"}:
        return UNKNOWN
    lines = text.splitlines()
    lines = sorted(set(lines)) if "-u" in options(each) else sorted(lines)
    return "".join(f"{line}\n" for line in (reversed(lines) if "-r" in options(each) else lines))


_SUBSTITUTION = re.compile(r"s([^\w\s\\])((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([g]?)")


def _sed(each: Invocation, text: str) -> str:
    """``s/a/b/`` whose two sides are plain."""
    given = options(each)
    words = plain_words(each, frozenset({"-e", "--expression"}))
    script = option_value(each, "-e", "--expression") or (words[0] if words else "")
    found = _SUBSTITUTION.fullmatch(script.strip().rstrip(";"))
    if found is None or given - {"-e", "-E", "-r"} or sum(w == "-e" for w in each.argv) > 1:
        return UNKNOWN
    wanted, by = found[2], found[3]
    if re.search(r"[.*\[\]^$\\+?(){}|]", wanted) or re.search(r"[\\&]", by) or not wanted:
        return UNKNOWN
    out = (line.replace(wanted, by, -1 if found[4] else 1) for line in text.splitlines())
    return "".join(f"{line}\n" for line in out)


def _sed_reads(each: Invocation, texts: Texts) -> str:
    scripted = {"-e", "--expression"} & set(each.argv)
    return _reads(_sed, "-e", "--expression", first=0 if scripted else 1)(each, texts)


FILTERS: Mapping[str, Callable[[Invocation, Texts], str]] = {
    "cat": _reads(_same),
    "tee": lambda each, _texts: each.stdin if each.stdin is not None else UNKNOWN,
    "base64": _reads(_base64, "-w", "--wrap"),
    "base32": _reads(_base32),
    "xxd": _reads(_hex),
    "openssl": _openssl,
    "rev": _reads(_rev),
    "tac": _reads(_tac),
    "tr": _tr,
    "head": _reads(_head, "-n", "-c", "--lines", "--bytes"),
    "tail": _reads(_head, "-n", "-c", "--lines", "--bytes"),
    "cut": _reads(_cut, "-c", "-f", "-d", "-b"),
    "sort": _reads(_sort),
    "sed": _sed_reads,
}
"""Filters by name: given the call and the texts of files, what they print."""
PASSING = names("""
    tee cat gunzip gzip zcat bzip2 bunzip2 bzcat xz unxz xzcat zstd unzstd zstdcat base64 base32
    xxd openssl gpg tr sed rev tac iconv dos2unix pv sponge uudecode buffer
""")
"""Programs behind which a pipe still carries what came in."""
