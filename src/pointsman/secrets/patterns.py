"""Our own patterns: what the detector misses, what is longer than its pieces, and the fallback.

Every pattern begins with a fixed text, so that looking for that text is all an ordinary payload
costs, and no repetition in it is unbounded but over one class of characters: each is linear.
Formats: the issuers' own documentation of their tokens' prefixes.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one kind of secret looks. Group 1 is the secret; ``hints``, one of them is in it."""

    kind: str
    hints: tuple[str, ...]
    expression: re.Pattern[str]
    sure: bool = True
    always: bool = True
    """Whether it is asked beside the detector, or only where that cannot be used."""


def _sure(kind: str, hints: str, expression: str) -> Pattern:
    return Pattern(kind, tuple(hints.split()), re.compile(expression))


# Behind an escape of a string or of an address the letter before is none of the token's.
_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_END = r"(?![A-Za-z0-9_])"

PATTERNS = (
    # Longer than a piece of the detector, or across two of them.
    _sure("private-key", "PRIVATE KEY",
          r"(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
          r"(?:(?!-----)[\s\S]){40,16384}"
          r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?)"),
    _sure("jwt", "eyJ", rf"{_START}(?<!-)(eyJ[\w-]{{8,}}\.eyJ[\w-]{{8,}}\.[\w-]{{16,}})"),
    # What the detector does not find (measured with 2.0.0).
    _sure("aws-access-key-id", "AKIA ASIA ABIA ACCA",
          rf"{_START}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}){_END}"),
    _sure("mailgun-key", "key-", rf"{_START}(key-[0-9a-f]{{32}}){_END}"),
    _sure("telegram-bot-token", ":AA",
          rf"{_START}(\d{{8,10}}:AA[\w-]{{33}})(?![\w-])"),
    Pattern("url-password", ("://",), re.compile(
        r"://[^\s/:@\"'`<>\\]{0,64}:([^\s/:@\"'`<>\\]{8,128})@[\w.\[-]"),
        sure=False),
    # What it finds only where a quote or the end of a line follows, and not before an @.
    _sure("github-pat", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_START}(gh[pousr]_[A-Za-z0-9]{{36,255}})"),
    _sure("github-fine-grained-pat", "github_pat_", rf"{_START}(github_pat_\w{{82}})"),
    _sure("gitlab-pat", "glpat-", rf"{_START}(glpat-[\w.-]{{20,255}})"),
    _sure("aws-secret-access-key", "SECRET_ACCESS secret_access ecretAccess",
          r"(?i)aws.{0,20}secret.{0,40}[\"'=: ]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    _sure("slack-token", "xox", rf"{_START}(xox[abeoprs]-[A-Za-z0-9-]{{10,255}})"),
    _sure("slack-webhook-url", "hooks.slack.com",
          r"(https://hooks\.slack\.com/services/T\w{8,12}/B\w{8,12}/\w{20,30})"),
    _sure("stripe-access-token", "k_live_ k_test_ k_prod_",
          rf"{_START}((?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{{10,99}})"),
    _sure("openai-api-key", "T3BlbkFJ", rf"{_START}(sk-[\w-]{{20,90}}T3BlbkFJ[\w-]{{20,90}})"),
    _sure("anthropic-api-key", "sk-ant-", rf"{_START}(sk-ant-[\w-]{{24,255}})"),
    _sure("gcp-api-key", "AIza", rf"{_START}(AIza[\w-]{{35}})"),
    _sure("npm-access-token", "npm_", rf"{_START}(npm_[A-Za-z0-9]{{36}})"),
    _sure("pypi-upload-token", "pypi-", rf"{_START}(pypi-AgE[\w-]{{50,1000}})"),
    _sure("sendgrid-api-token", "SG.", rf"{_START}(SG\.[\w-]{{16,32}}\.[\w-]{{32,64}})"),
    _sure("huggingface-access-token", "hf_", rf"{_START}(hf_[A-Za-z]{{34}})"),
    _sure("digitalocean-pat", "dop_v1_ doo_v1_ dor_v1_", rf"{_START}(do[por]_v1_[a-f0-9]{{64}})"),
    # Where the detector cannot be used.
    Pattern("authorization-header", ("earer ", "asic ", "oken "), re.compile(
        r"(?i)authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:bearer|basic|token) {1,4}"
        r"([\w.~+/=-]{16,2048})"),
        always=False),
    Pattern("generic-secret", ("=", ":"), re.compile(
        r"(?i)(?:api[_-]?key|secret|token|passw(?:or)?d|credential)[\w.-]{0,20}[\"']?\s{0,4}"
        r"(?::=|=>|=|:)\s{0,4}[\"'`]?([\w.+/=~!@#%^&*-]{10,150})(?=[\"'`\s;,)]|$)"),
        sure=False, always=False),
)  # fmt: skip
"""In the order in which they are asked: of two that find the same, the first names it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern found its secret."""

    start: int
    end: int
    kind: str
    sure: bool


def matches(text: str, patterns: Iterable[Pattern]) -> list[Match]:
    """Return what these patterns find."""
    return [
        Match(found.start(1), found.end(1), pattern.kind, pattern.sure)
        for pattern in patterns
        for found in pattern.expression.finditer(text)
        if pattern.sure or is_random(found[1])
    ]


_LEAST_ENTROPY = 2.75
"""Bits a character, below which a value is a word and no secret (``postgres`` has 2.5)."""
_LONG = 20


def is_random(value: str) -> bool:
    """Whether a value that only its surroundings call secret could be one."""
    # Words are names of something, and would be covered wherever they are used as such.
    words = _WORDLIKE.fullmatch(value) is not None
    return (
        not (words and (len(value) < _LONG or not value.isalpha()))
        and entropy(value) > _LEAST_ENTROPY
        and not _REFERENCE.search(value)
    )


_WORDLIKE = re.compile(r"[A-Za-z_.-]+")
_REFERENCE = re.compile(r"^[$%{<\[(*]|^(?:process|os|env|self|config|settings|secrets?)\.|\(\)?$")
"""What stands for a value instead of being one: ``$TOKEN``, ``<token>``, ``os.environ``."""


def entropy(value: str) -> float:
    """Return Shannon's entropy in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


_NONE = re.compile(
    r"example|xxxx|your[-_]?|change[-_]?me|dummy|placeholder|redacted|123456789|abcdefgh|00000000",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"insert|replace|fake|sample|foobar|not[-_]?(?:a[-_]?)?real|password|passw0rd|hunter2|s3cr3t"
    r"|todo|secret|testing|(?:^|[^a-z])test(?:[^a-z]|$)|mock|localhost|default",
    re.IGNORECASE,
)
_FEWEST_DIFFERENT = 5


def is_placeholder(value: str, *, sure: bool) -> bool:
    """Whether a value says of itself that it is none, or has hardly a letter that differs.

    Of a value with a form of its own fewer words are believed: chance may have spelled them.
    """
    if len(set(value)) < _FEWEST_DIFFERENT or _NONE.search(value):
        return True
    return not sure and _WORDS.search(value) is not None
