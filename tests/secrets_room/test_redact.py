import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_secrets import made
from pointsman.secrets.json_text import Unescaped
from pointsman.secrets.redact import Redactor

SECRETS = made()
GITHUB = SECRETS["github"]
KNOWN = 'a/b"c\nd\\e ü🔑f'


@pytest.fixture(scope="module")
def redactor(tmp_path_factory: pytest.TempPathFactory) -> Redactor:
    return Redactor.of(tmp_path_factory.mktemp("state"), {"DB_PASSWORD": KNOWN})


def test_the_same_secret_has_the_same_mark_and_another_another(redactor: Redactor) -> None:
    text = redactor.text(f"{GITHUB} and {GITHUB} and {made(8)['github']}")
    marks = text.split(" and ")
    assert marks[0] == marks[1] != marks[2]
    assert all(mark.startswith("[redacted:github-pat:") for mark in marks)


def test_the_mark_needs_the_key_of_the_state_directory(tmp_path: Path) -> None:
    first, second = (Redactor.of(tmp_path / name, {}) for name in "ab")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert first.text(GITHUB) != second.text(GITHUB)
    assert first.text(GITHUB) == Redactor.of(tmp_path / "a", {}).text(GITHUB)
    assert (tmp_path / "a/secrets.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("kind", SECRETS)
def test_json_stays_json_and_nothing_else_changes(
    redactor: Redactor, kind: str, ascii_only: bool
) -> None:
    value: dict[str, Any] = {
        "k": [f'é "x" \\ {SECRETS[kind]}\n', 1.50, None],
        "n": {"a": KNOWN},
        "z": "last",
    }
    given = json.dumps(value, ensure_ascii=ascii_only).encode()
    out = redactor.json(given)
    read = json.loads(out)
    assert read["k"][0].startswith('é "x" \\ [redacted:')
    assert read["k"][0].endswith("]\n")
    assert read["n"]["a"].startswith("[redacted:value-of-db-password:")
    assert (read["k"][1:], read["z"]) == (value["k"][1:], "last")
    assert b"1.5, " in out or b"1.5" in out


@pytest.mark.parametrize(
    "written",
    [
        '{"a": "SECRET"}'.replace("SECRET", GITHUB.replace("_", "\\u005f")),
        '{"a": "SECRET"}'.replace("SECRET", "".join(f"\\u{ord(char):04x}" for char in GITHUB)),
        '{"a": "xSECRET", "a": "y"}'.replace("SECRET", GITHUB),
        '{"SECRET": 1}'.replace("SECRET", GITHUB),
        '[1, "SECRET"'.replace("SECRET", GITHUB),
        '{"a": "cut short SECRET'.replace("SECRET", GITHUB),
        "no json SECRET at all".replace("SECRET", GITHUB),
    ],
)
def test_no_spelling_of_json_hides_one(redactor: Redactor, written: str) -> None:
    out = redactor.json(written.encode()).decode()
    assert GITHUB not in Unescaped(out).text
    assert "[redacted:github-pat:" in out


def test_what_is_given_away_in_one_place_is_covered_in_all(redactor: Redactor) -> None:
    body = b'{"command": "export DB_PASSWORD=Zk3xw9Qp2mVt7"}'
    bodies, texts, told = redactor.together([body, b""], ["it says Zk3xw9Qp2mVt7", "", "nothing"])
    assert b"Zk3xw9Qp2mVt7" not in bodies[0]
    assert texts[0].startswith("it says [redacted:")
    assert (bodies[1], texts[1:]) == (b"", ["", "nothing"])
    assert str(told) == "covered 2 generic-password"


def test_what_holds_none_comes_back_to_the_byte(redactor: Redactor) -> None:
    for data in (b"", b"{}", b'{"a":"\\u00e9\\/"}', b"\xff\xfe\x00", b'{"a": 1e400}'):
        assert redactor.json(data) == data


def test_a_number_that_is_a_secret_becomes_a_text(tmp_path: Path) -> None:
    redactor = Redactor.of(tmp_path, {"PIN_TOKEN": "8472910365"})
    assert json.loads(redactor.json(b'{"a": 8472910365}'))["a"].startswith("[redacted:")


def test_one_that_runs_across_strings_is_covered_in_each(redactor: Redactor) -> None:
    head, _, rest = SECRETS["private-key"].partition("\n")
    given = json.dumps({"a": head, "b": rest}).encode()
    out = redactor.json(given).decode()
    assert len(json.loads(out)) == 2
    assert rest.splitlines()[3] not in out


def test_settings_whose_names_say_secret_are_known(tmp_path: Path) -> None:
    redactor = Redactor.of(tmp_path, {})
    redactor.know(
        {"url": "https://example.org", "webhook": {"signing_secret": "plain-looking words"}}
    )
    assert "plain-looking" not in redactor.text(
        "it is plain-looking words, see https://example.org"
    )


_TREES: Any = st.recursive(
    st.none() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_TREES, st.sampled_from(sorted(SECRETS)), st.booleans(), st.integers(0, 3))
def test_random_payloads_lose_the_secret_and_keep_the_rest(
    redactor: Redactor, tree: Any, kind: str, ascii_only: bool, where: int
) -> None:
    secret = SECRETS[kind]
    places = [
        secret,
        {"stdout": f"out: {secret}"},
        [{"deep": ["é", f"'{secret}'"]}],
        {f"a {secret}": 0},
    ]
    value = {"tree": tree, "told": places[where]}
    read = json.loads(redactor.json(json.dumps(value, ensure_ascii=ascii_only).encode()))
    assert secret not in json.dumps(read, ensure_ascii=False)
    assert secret.splitlines()[0] not in json.dumps(read, ensure_ascii=False) or "\n" in secret
    assert read["tree"] == tree


def test_clear_is_said_only_where_there_is_none(redactor: Redactor) -> None:
    assert redactor.clear([b'{"a": "b"}', b""], ["", "nothing", "key and token"])
    for kind, secret in SECRETS.items():
        hidden = json.dumps({"a": secret}).replace("_", "\\u005f").encode()
        assert not redactor.clear([b"{}", hidden], [""]), kind
        assert not redactor.clear([], ["x", secret]), kind
    assert not redactor.clear([json.dumps(KNOWN).encode()], [])


@pytest.mark.parametrize("before", [r"printf 'a\n", r"\t", "https://example.org/?q=%20", "x=%3D"])
def test_an_escape_in_front_of_a_token_hides_nothing(tmp_path: Path, before: str) -> None:
    redactor = Redactor.of(tmp_path, {})
    for kind in ("github", "aws-id"):
        text = redactor.text(f"{before}{SECRETS[kind]} ")
        assert SECRETS[kind] not in text
        assert text.startswith(before)


def test_what_was_said_to_be_clear_is_covered_once_a_value_is_known(tmp_path: Path) -> None:
    redactor = Redactor.of(tmp_path, {})
    text = "the word is quite-an-ordinary-one"
    assert redactor.clear([], [text])
    assert redactor.find(text) == ()
    assert redactor.text(text) == text
    redactor.know({"api_token": "quite-an-ordinary-one"})
    assert not redactor.clear([], [text])
    assert len(redactor.find(text)) == 1
    assert "ordinary" not in redactor.text(text)


def test_what_is_clear_alone_is_searched_again_with_others(redactor: Redactor) -> None:
    secret = GITHUB
    text = f"push with {secret}"
    for _ in range(2):
        assert redactor.clear([], ["push with it"])
        assert not redactor.clear([], ["push with it", text])
        assert not redactor.clear([json.dumps(text).encode()], ["push with it"])
        assert secret not in redactor.text(text)


def test_no_more_texts_are_remembered_than_so_many(tmp_path: Path) -> None:
    redactor = Redactor.of(tmp_path, {})
    for number in range(5):
        assert redactor.clear([], [f"text {number} {n}" for n in range(1500)])
    assert redactor.clear([], ["a long one " * 100])
    assert len(redactor._quiet) <= 4096
    assert max(map(len, redactor._quiet)) <= 512
