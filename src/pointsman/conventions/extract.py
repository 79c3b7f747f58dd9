"""From the lines of a file of instructions to rules that a program can check.

No model reads it: a sentence that fits none of the forms is no rule, and one that has an exception
(*unless*, *except*, *without*) is none either, for only a reader could say when it holds.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pointsman.conventions.sources import Source
from pointsman.conventions.terms import LANGUAGES, NEEDLES, PHRASES, PROGRAMS, SPOKEN, STYLES
from pointsman.model.convention import Check, Convention, Kind

MOST_RULES = 500
_LONGEST = 400
"""Characters; what is longer is a paragraph, and no rule."""
_FENCE = re.compile(r"^\s*(```|~~~)")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+|^\s*>\s?")
_HEADING = re.compile(r"^#{1,6}\s+(.*)")
_STRONG = re.compile(r"(?<![/\w*])\*\*(?=[\w`])|(?<=[\w`.,:])\*\*(?![/\w*])")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*])")
_ALTERNATIVE = re.compile(r"(?:use|prefer|call|run)\s.{1,80}\binstead\W*$|instead\b", re.IGNORECASE)
_EXCEPTION = re.compile(
    r"\b(?:unless|(?<!`)except(?!\s*[:`])|without|other than|outside(?: of)?|only (?:if|when|in)"
    r"|if (?:you|possible|needed|necessary)|when(?:ever)? possible|where possible)\b",
    re.IGNORECASE,
)
_NORMATIVE = re.compile(
    r"\b(?:never|always|must|do not|don't|avoid|should|prefer|use|only|no|keep|put)\b",
    re.IGNORECASE,
)
_TERM = (
    r"(?:`(?P<{0}a>[^`\n]{{1,80}})`|\"(?P<{0}b>[^\"\n]{{1,80}})\"|"
    # From the beginning of a word alone: else every end of it is tried again.
    r"(?<![\w.@/$#-])(?P<{0}c>[\w.@/$#-]*\w(?:\(\))?))"
)
_ONE, _TWO = _TERM.format("x"), _TERM.format("y")
_RATHER = re.compile(
    rf"\b(?:use|prefer|write|call|run)\s+{_ONE}\s*(?:,\s*)?"
    rf"(?:instead of|rather than|over|not|and not|in place of)\s+(?:the\s+)?{_TWO}",
    re.IGNORECASE,
)
_NEVER = re.compile(
    rf"\b(?:never|do not|don't|must not|should not|shouldn't|mustn't|avoid)\s+"
    rf"(?:(?:use|using|call|calling|import|importing|write|introduce|run|running)\s+)?(?:the\s+)?{_ONE}",
    re.IGNORECASE,
)
_NO = re.compile(rf"^\s*no\s+(?:(?:new|more|direct)\s+)?{_ONE}\s*(?:calls?|usage|statements?)?"
                 r"\s*(?:$|[.,;:(—-])",
                 re.IGNORECASE)  # fmt: skip
_BANNED = re.compile(
    rf"{_ONE}\s+(?:is|are)\s+(?:strictly\s+)?"
    r"(?:forbidden|banned|not allowed|prohibited|deprecated)\b",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    rf"(?:\buse\s+{_ONE}(?:\s+instead)?|\binstead(?:,)?\s+use\s+{_TWO})", re.IGNORECASE
)
_MOST = (
    r"(?:(?:at most|below|under|less than|fewer than|up to|within|max(?:imum)?(?: of)?|limit(?:ed)?"
    r"(?: to)?|no (?:more|longer) than|not (?:exceed|more than)|exceed|≤|<=?)\s*)"
)
_LINES = re.compile(
    rf"\b(?:files?|modules?)\b.{{0,40}}?{_MOST}(\d{{2,6}})\s+lines?\b", re.IGNORECASE
)
_COLUMNS = re.compile(
    rf"\b(?:lines?|line length)\b.{{0,40}}?(?:{_MOST}|:\s*|is\s+|of\s+)(\d{{2,3}})"
    r"(?:\s*(?:char(?:acter)?s?|columns?|cols?))?\b",
    re.IGNORECASE,
)
_INDENT = re.compile(
    r"\b(?:indent(?:ation)?\b.{0,20}?|use\s+)(?:(\d)[\s-]*)?(tabs?|spaces?)\b"
    r"|\b(\d)[\s-]space indent",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:file ?names?|files|components?|modules)\b.{0,50}?[`\"]?\b"
    r"(kebab-case|snake_case|camelCase|PascalCase)\b",
    re.IGNORECASE,
)
_TESTS_IN = re.compile(
    r"\b(?:tests?|test files|specs?)\s+(?:files?\s+)?(?:must |should |all )?"
    r"(?:live|go|belong|are(?: placed| kept)?|(?:be )?(?:placed|put|kept)|lie|stay)"
    r"\s+(?:in|under|inside|into)\s+(?:the\s+)?[`\"]?"
    r"((?:[\w.-]+/)*[\w.-]+/?)[`\"]?",
    re.IGNORECASE,
)
_TEST_NAME = re.compile(
    r"\btests?(?: files?)?\b.{0,30}?\b(?:end|ending|named|called|suffix(?:ed)?)\b.{0,12}?"
    r"[`\"]\*?((?:[._-]?[\w]+)?(?:[._-](?:test|spec|tests|specs))[\w.]*|test_\*?[\w.*]*)[`\"]",
    re.IGNORECASE,
)
_HANDS_OFF = re.compile(
    r"\b(?:never|do not|don't|must not)\s+(?:manually\s+|directly\s+)?"
    r"(?:edit|modify|change|touch|alter)\s+"
    r"(?:the\s+)?(?:files?\s+(?:in|under)\s+)?(?:anything\s+(?:in|under)\s+)?[`\"]([\w./*@-]{2,120})[`\"]",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"\b(?:in|under|inside|within)\s+[`\"]?((?:[\w.-]+/)+[\w.*-]*)[`\"]?", re.IGNORECASE
)
_CODE_WORD = re.compile(r"[\w$]*[.(@/$#_:][\w.()@/$#:-]*|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of a line: its number, its words, the heading that it stands under."""

    line: int
    raw: str
    text: str
    heading: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A line that demands something and has become no rule, and why."""

    where: str
    text: str
    why: str


def statements(lines: tuple[str, ...]) -> Iterator[Statement]:
    """Yield what a Markdown text says, but for code, comments and headings."""
    fenced = commented = False
    heading = ""
    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        if fenced or len(line) > _LONGEST:
            continue
        said, opened, after = ("", "<!--", line) if commented else line.partition("<!--")
        commented = bool(opened) and "-->" not in after
        said += after.partition("-->")[2]
        found = _HEADING.match(said)
        if found:
            heading = found[1]
        elif text := _STRONG.sub("", _BULLET.sub("", said)).strip():
            for sentence in _sentences(text):
                yield Statement(number, line, sentence, heading)


def _sentences(text: str) -> list[str]:
    """Return the sentences of a line; one that only says what to use instead stays with its own."""
    found: list[str] = []
    for sentence in _END.split(text):
        if found and _ALTERNATIVE.match(sentence):
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


def extract(source: Source) -> tuple[list[Convention], list[Unchecked]]:
    """Return the rules of a file, and the demands in it that no program can check."""
    rules: list[Convention] = []
    rest: list[Unchecked] = []
    for each in statements(source.lines):
        where = f"{source.name}:{each.line}"
        exception = _EXCEPTION.search(each.text)
        checks = [] if exception else _checks(each, source.under)
        rules += [
            Convention(source.name, each.line, each.raw.strip(), check, depth=source.depth)
            for check in checks
        ]
        if not checks and _NORMATIVE.search(each.text):
            why = f"it has an exception ({exception[0]})" if exception else "no form that is known"
            rest.append(Unchecked(where, each.text[:200], why))
        if len(rules) >= MOST_RULES:
            break
    return rules, rest[:MOST_RULES]


def _checks(statement: Statement, under: str) -> list[Check]:
    found: list[Check] = []
    lowered = statement.text.lower()
    for needles, read in _READERS:
        if any(needle in lowered for needle in needles):
            found = list(read(statement))
        if found:
            break
    suffixes = _suffixes(statement)
    inner = _UNDER.search(statement.text)
    # Of a sentence about where tests lie, the place is what it demands.
    place = _folder(inner[1]) if inner and found and found[0].kind not in _PLACES else ""
    below = place if place.startswith(under) and place else f"{under}{place}"
    return [replace(each, suffixes=each.suffixes or suffixes, under=below) for each in found]


def _folder(path: str) -> str:
    """Return the directory that a path names, or lies in, with its slash."""
    folder, _, name = path.rpartition("/")
    if name and not any(mark in name for mark in ".*"):
        return f"{path}/"
    return f"{folder}/"


_PLACES = frozenset({Kind.TESTS_IN, Kind.PATH, Kind.COMMAND})


def _suffixes(statement: Statement) -> tuple[str, ...]:
    """Return the files of the language that a sentence names, or else its heading."""
    for text in (statement.text, statement.heading):
        lowered = f" {text.lower()} "
        for name, suffixes in LANGUAGES.items():
            at = lowered.find(name)
            if at > 0 and not lowered[at - 1].isalnum() and not lowered[at + len(name)].isalnum():
                return suffixes
    return ()


def _phrase(statement: Statement) -> Iterator[Check]:
    lowered = statement.text.lower()
    for pattern, name in PHRASES:
        found = pattern.search(statement.text) if SPOKEN[name] in lowered else None
        if found:
            yield Check(Kind.PATTERN, name, _instead(statement.text[found.end() :]))


def _hands_off(statement: Statement) -> Iterator[Check]:
    found = _HANDS_OFF.search(statement.text)
    if found and ("/" in found[1] or "." in found[1] or "*" in found[1]):
        yield Check(Kind.PATH, found[1].removeprefix("./"), _instead(statement.text[found.end() :]))


def _rather(statement: Statement) -> Iterator[Check]:
    found = _RATHER.search(statement.text)
    if found:
        wanted, unwanted = _term(found, "x"), _term(found, "y")
        if unwanted.lower() != wanted.lower():
            yield from _forbidden(unwanted, wanted, quoted=found["yc"] is None)


def _never(statement: Statement) -> Iterator[Check]:
    for pattern in (_NEVER, _NO, _BANNED):
        found = pattern.search(statement.text)
        if found:
            rest = statement.text[found.end() :]
            words = [_term(found, "x"), *_more(rest)]
            for word in words:
                yield from _forbidden(word, _instead(rest), quoted=found["xc"] is None)
            return


def _more(rest: str) -> list[str]:
    """Return what is listed behind a first word: ``, `b` or `c```."""
    found = re.match(r"(?:\s*(?:,|or|and|,\s*or|,\s*and)\s*`[^`\n]{1,80}`){1,8}", rest)
    return re.findall(r"`([^`\n]{1,80})`", found[0]) if found else []


def _forbidden(word: str, instead: str, *, quoted: bool = False) -> Iterator[Check]:
    plain = word.strip().removesuffix("()").strip()
    if plain in PROGRAMS or plain.partition(" ")[0] in PROGRAMS:
        yield Check(Kind.COMMAND, plain, instead)
        return
    # A sentence in quotes or a placeholder is no word of a program.
    spelled = bool(plain) and len(plain.split()) <= 3 and any(char.isalnum() for char in plain)
    if spelled and (quoted or _CODE_WORD.fullmatch(word.strip())):
        yield Check(Kind.TOKEN, plain, instead)


def _instead(text: str) -> str:
    found = _INSTEAD.search(text)
    if not found:
        return ""
    word = _term(found, "x") or _term(found, "y")
    return word if len(word) > 1 else ""


def _term(found: re.Match[str], name: str) -> str:
    return next((found[f"{name}{each}"] for each in "abc" if found[f"{name}{each}"]), "")


def _number(pattern: re.Pattern[str], kind: Kind) -> Callable[[Statement], Iterator[Check]]:
    def read(statement: Statement) -> Iterator[Check]:
        found = pattern.search(statement.text)
        if found:
            yield Check(kind, str(int(found[1])))

    return read


def _indent(statement: Statement) -> Iterator[Check]:
    found = _INDENT.search(statement.text)
    if found:
        tabs = (found[2] or "").lower().startswith("tab")
        yield Check(Kind.INDENT, "tabs" if tabs else "spaces")


def _named(statement: Statement) -> Iterator[Check]:
    found = _NAMED.search(statement.text)
    style = {each.lower(): each for each in STYLES}.get(found[1].lower()) if found else None
    if style:
        yield Check(Kind.NAME, style)


def _tests_in(statement: Statement) -> Iterator[Check]:
    found = _TESTS_IN.search(statement.text)
    if found and ("/" in found[1] or found[1].strip("_.").lower() in {"test", "tests", "spec"}):
        yield Check(Kind.TESTS_IN, found[1].rstrip("/.").removeprefix("./"))


def _test_name(statement: Statement) -> Iterator[Check]:
    found = _TEST_NAME.search(statement.text)
    if found:
        yield Check(Kind.TEST_NAME, found[1])


_READERS: tuple[tuple[tuple[str, ...], Callable[[Statement], Iterator[Check]]], ...] = (
    (NEEDLES, _phrase),
    (("edit", "modify", "change", "touch", "alter"), _hands_off),
    (("lines",), _number(_LINES, Kind.LINES)),
    (("line",), _number(_COLUMNS, Kind.COLUMNS)),
    (("tab", "space"), _indent),
    (("test",), _test_name),
    (("test", "spec"), _tests_in),
    (("case",), _named),
    (("instead", "rather", "over", "not", "in place"), _rather),
    (("never", "not", "n't", "avoid", "no ", "forbidden", "banned", "prohibited", "deprecated"),
     _never),
)  # fmt: skip
"""By what a sentence has to say somewhere, cheap to look for, who reads it."""
