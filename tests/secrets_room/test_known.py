import pytest

from pointsman.secrets.known import Known, is_secret_name, secret_values


@pytest.mark.parametrize("name", [
    "TOKEN", "GITHUB_TOKEN", "db_password", "API_KEY", "apikey", "AWS_SECRET_ACCESS_KEY", "NPM_PAT",
    "signing_secret", "DB_PASS", "MYSQL_PWD", "BASIC_AUTH", "PGPASS", "SSHPASS", "STRIPEKEY",
    "COMPASS_KEY", "MONKEY_TOKEN", "TOKENIZER_KEY", "secretAccessKey", "apiKey2", "dbPwd",
    "basicAuth", "githubPat", "BYPASS_TOKEN_FOR_CI", "KEYS", "passkey",
])  # fmt: skip
def test_names_that_say_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", [
    "PATH", "HOME", "PWD", "OLDPWD", "KEYBOARD", "AUTHOR", "DISPLAY",
    "COMPASS", "compass", "MONKEY", "MONKEYS", "MY_MONKEY", "code-monkey", "TURKEY", "HOTKEY",
    "hotkeys", "BYPASS", "proxyBypass", "TOKENIZER", "TOKENIZERS_PARALLELISM", "SECRETARY",
    "openCompass", "Key_Turkey", "KEY_COMPASS", "SPAT", "COAUTH",
])  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


def test_values_are_taken_however_deep_and_only_where_they_can_be_secret() -> None:
    named = {
        "A_TOKEN": "k3y9xq2mv7",
        "deep": {"er": {"password": "plain but long"}},
        "SHORT_TOKEN": "short",
        "KEY_FILE_TOKEN": "/home/me/token",
        "USE_TOKEN": "required",
        "NUMBER_TOKEN": 12345678,
        "name": "k3y9xq2mv7",
    }
    assert secret_values(named) == {"A_TOKEN": "k3y9xq2mv7", "password": "plain but long"}


def test_the_longest_is_named_first_and_each_is_kept_once() -> None:
    known = Known()
    known.add({"A_TOKEN": "k3y9xq2mv7", "B_TOKEN": "k3y9xq2mv7-longer", "C_TOKEN": "k3y9xq2mv7"})
    kinds = [kind for value, kind in known.hits("k3y9xq2mv7-longer") if value.startswith("k3")]
    assert kinds[0] == "value-of-b-token"
    assert "value-of-c-token" not in kinds
    assert known.hits("nothing") == []


def test_their_number_is_bounded() -> None:
    known = Known()
    known.add({f"T{number}_TOKEN": f"value-{number:06d}" for number in range(300)})
    assert known.hits("value-000255") != []
    assert known.hits("value-000256") == []
