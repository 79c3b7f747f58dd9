import base64
import ctypes
import json
import string
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_secrets import made
from pointsman.secrets import engine as engine_module
from pointsman.secrets.detect import Detector
from pointsman.secrets.engine import Engine, Marker, plain
from pointsman.secrets.hints import Hints
from pointsman.secrets.known import Known, is_secret_name, secret_values
from pointsman.secrets.patterns import PATTERNS, matches

DETECTOR = Detector(Engine(), Known())
SECRETS = made()


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in DETECTOR.find(text).spans]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "x = '{}'",
        "# {} gitleaks:allow",
        "# {} betterleaks:allow",
        "a\0b {}",
        "\udcff {}",
        "é\n{}\n",
    ],
)
def test_it_is_found_wherever_it_stands(kind: str, around: str) -> None:
    secret = SECRETS[kind]
    assert [each.strip() for each in found(around.format(secret))] == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "a5f3c1d2e4b6978812345678deadbeefcafebabe",
        "d41d8cd98f00b204e9800998ecf8427e",
        "550e8400-e29b-41d4-a716-446655440000",
        "integrity sha512-" + "Ab3+/" * 17 + "a==",
        "git checkout 6381fa45ae946c588e2e1334d8396a15e5171ad6",
        "postgres://postgres:postgres@localhost:5432/app",
        "url = https://example.org/path?x=1#y",
        "token = os.environ['GITHUB_TOKEN']",
        'curl -H "Authorization: Bearer $TOKEN" https://example.org',
        "password: required",
        'def ask(url, username: str, password: str): return url_user_password\n\
        proxy = "socks5h://<username>:<password>@proxy-host"; username, password = x()',
        "The key to a token is the secret of an api.",
        "key = [redacted:github-pat:0a1b2c3d]",
        '{"api_key": "[redacted:generic-api-key:0a1b2c3d]", "token": "[redacted:jwt:99999999]"}',
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_pair_is_found_whole_and_each_of_it_wherever_it_stands_again() -> None:
    key = "Arl63XykWZeiNNCiia3anXn9k3ksu9mI4ROnl89S"
    text = f"AWS_ACCESS_KEY_ID={SECRETS['aws-id']}\nAWS_SECRET_ACCESS_KEY={key}\nagain {key}"
    assert found(text) == [SECRETS["aws-id"], key, key]


@pytest.mark.parametrize("size", [engine_module._PIECE - 20, engine_module._PIECE * 3 - 700])
def test_no_seam_between_two_pieces_hides_one(size: int) -> None:
    for kind, secret in SECRETS.items():
        text = "lorem ipsum " * (size // 12) + "x" * (size % 12) + f" {secret} tail " * 2
        assert found(text) == [secret, secret], kind


def test_more_than_fit_into_a_scan_is_said_and_searched_all_the_same() -> None:
    slow = Detector(Engine(within=0.0), Known())
    text = "word " * 2000 + SECRETS["github"]
    result = slow.find(text)
    assert [text[span.start : span.end] for span in result.spans] == [SECRETS["github"]]
    assert "characters were scanned" in result.fault


def test_a_detector_that_cannot_be_loaded_leaves_the_built_in_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "_PACKAGE", "no_such_package_anywhere")
    without = Detector(Engine(), Known())
    for kind, secret in SECRETS.items():
        result = without.find(f"it is {secret}\n")
        assert result.spans, kind
        assert "the detector cannot be used" in result.fault
    assert without.find("password = 'kX93-fj2!dkQ'").spans
    assert not without.find("nothing here").spans


def test_a_process_that_dies_inside_the_detector_does_so_twice_at_most(tmp_path: Path) -> None:
    file = tmp_path / "detector.state"
    assert file.exists() is False
    for deaths in range(2):
        marker = Marker(file, now=1000.0 + deaths)
        assert marker.deaths == deaths
        marker.__enter__()  # and never left

    assert Marker(file, now=1010.0).deaths == 2
    assert Marker(file, now=1010.0 + 3601).deaths == 0


def test_it_says_how_to_try_the_detector_again(tmp_path: Path) -> None:
    file = tmp_path / "detector.state"
    for _ in range(2):
        Marker(file, time.time()).__enter__()
    fault = Engine().load(file)
    assert f"rm {file} && pointsman up --restart" in fault


def test_what_comes_back_leaves_no_mark(tmp_path: Path) -> None:
    file = tmp_path / "detector.state"
    engine = Engine()
    assert engine.load(file) == ""
    engine.scan(plain(SECRETS["github"]))
    assert Marker(file, now=1.0).deaths == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "no JSON"),
        (b'{"success": false, "error": "ghp_x"}', "reports an error"),
        (b"[]", "reports an error"),
        (None, "returned nothing"),
    ],
)
def test_an_answer_that_is_none_is_a_failure_of_ours(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | None, words: str
) -> None:
    engine = Engine()
    assert engine.load() == ""
    monkeypatch.setattr(engine, "_library", _Answering(answer))
    result = Detector(engine, Known()).find(SECRETS["github"])
    assert len(result.spans) == 1
    assert words in result.fault
    assert "ghp_" not in result.fault


class _Answering:
    """A library that gives one answer."""

    def __init__(self, answer: bytes | None) -> None:
        self._kept = ctypes.create_string_buffer(answer) if answer is not None else None
        self._address = ctypes.addressof(self._kept) if self._kept is not None else None

    def ScanStringCGO(self, _text: bytes) -> int | None:  # noqa: N802 - its name
        return self._address

    def FreeMemory(self, _pointer: int) -> None:  # noqa: N802 - its name
        return


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "api_key",
        "STRIPE_KEY",
        "PGPASS",
        "npm-token",
        "MY_PAT",
        "client_secret",
    ],
)
def test_a_name_says_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "PWD",
        "OLDPWD",
        "HOME",
        "KEYBOARD_LAYOUT",
        "LANG",
        "MONKEY_COUNT",
        "EDITOR",
        "SSH_AUTH_SOCK",
    ],
)
def test_a_name_does_not(name: str) -> None:
    assert not is_secret_name(name)


def test_values_are_taken_from_any_depth_and_paths_and_switches_are_not() -> None:
    assert secret_values(
        {
            "TOKEN": "kX93fj2dkQ",
            "SHORT_TOKEN": "abc",
            "KEY": "/run/secrets/key",
            "USE_TOKEN": "disabled",
            "inner": {"api_key": "pQ84jf92kd"},
            "number_token": 12345678,
        }
    ) == {"TOKEN": "kX93fj2dkQ", "api_key": "pQ84jf92kd"}


_ENCODED: list[Callable[[str], str]] = [
    str,
    json.dumps,
    lambda value: json.dumps(json.dumps(value)),
    lambda value: value.replace("/", "\\/"),
]


@pytest.mark.parametrize("encode", _ENCODED)
def test_a_known_value_is_found_in_every_spelling(encode: Callable[[str], str]) -> None:
    known = Known()
    value = 'pa/ss+w ö"rd'
    known.add({"DB_PASSWORD": value})
    detector = Detector(Engine(), known)
    data = value.encode()
    spelled = [
        encode(value).strip('"\\'), quote(value, safe=""), quote_plus(value),
        base64.b64encode(data).decode(), base64.b64encode(b"user:" + data).decode(),
        base64.b64encode(b"u:" + data + b"!").decode(), data.hex(),
        base64.urlsafe_b64encode(b"a" + data).decode(),
    ]  # fmt: skip
    for text in spelled:
        kinds = [span.kind for span in detector.find(f"x {text} y").spans]
        assert kinds == ["value-of-db-password"], text


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "_-=:'\" .\n"), max_size=300))
def test_what_the_detector_is_sure_of_is_never_hidden_by_what_is_around(text: str) -> None:
    secret = SECRETS["github"]
    assert any(secret in each for each in found(f"{text} {secret} {text}"))


def test_every_pattern_has_a_hint_that_its_own_finds_hold() -> None:
    for kind, secret in SECRETS.items():
        assert matches(f"x {secret} y", Hints(PATTERNS).of(f"x {secret} y")), kind
    assert all(pattern.hints for pattern in PATTERNS)
