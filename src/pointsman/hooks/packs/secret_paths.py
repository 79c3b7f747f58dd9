"""Which files hold keys and passwords, and which calls take their content in."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

from pointsman.hooks.packs.calls import names
from pointsman.shell.carried import is_interpreter
from pointsman.shell.effects import Effect, Invocation, Kind
from pointsman.shell.git import git_command
from pointsman.shell.interpreters import code_of
from pointsman.shell.programs import effects_of, plain_words
from pointsman.shell.state import resolve

_IN_HOME = (
    r"\.(?:netrc|pgpass|my\.cnf|mylogin\.cnf|git-credentials|pypirc|npmrc|yarnrc\.yml|vault-token"
    r"|htpasswd|s3cfg|boto"
    r"|dockercfg|smbcredentials|msmtprc|fetchmailrc|databrickscfg|rediscli_auth|Xauthority"
    r"|authinfo(?:\.gpg)?)"
    r"|\.ssh(?:/[^/]*)?(?<!\.pub)(?<!/config)(?<!/known_hosts)(?<!/known_hosts\.old)(?<!/authorized_keys)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?"
    r"|\.aws(?:/(?:credentials?|config|sso(?:/.*)?|cli(?:/.*)?))?|\.gnupg(?:/.*)?"
    r"|\.password-store(?:/.*)?"
    r"|\.docker/config\.json|\.kube/(?:config|cache/.*)|\.azure/[^/]*(?:[Tt]oken|credential"
    r"|[Pp]rofile|cache)[^/]*"
    r"|\.cargo/credentials(?:\.toml)?|\.gem/credentials|\.composer/auth\.json"
    r"|\.m2/settings(?:-security)?\.xml"
    r"|\.gradle/gradle\.properties|\.terraform\.d/credentials\.tfrc\.json|\.terraformrc|\.oci/[^/]*"
    r"|\.config/(?:gcloud|gh|glab-cli|containers|pypoetry|op|hub|rclone|git|heroku|doctl|netlify"
    r"|configstore|helm"
    r"|fly|vercel|stripe|sops|age)/[^/]*(?:auth|cred|hosts|config|db|token|keys|conf|json)[^/]*"
    r"|\.(?:claude|codex|gemini|cursor|qwen|copilot|opencode)/[^/]*(?:auth|credential|oauth"
    r"|token)[^/]*"
    r"|\.claude\.json|\.local/share/(?:keyrings|kwalletd|opencode)/.*|Library/Keychains(?:/.*)?"
    r"|(?:Login Data|Cookies|Web Data|Local State|logins\.json|key[34]\.db|cookies\.sqlite"
    r"|signons\.sqlite)"
    r"|\.(?:electrum|bitcoin|ethereum|solana)/.*|wallet\.dat"
)
_BY_NAME = (
    r"\.env(?:\.(?:local|dev|development|prod|production|stage|staging|test|secret|secrets"
    r"|private)(?:\.local)?)?"
    r"|\.envrc|\.dev\.vars"
    r"|[^/]+\.(?:key|p12|pfx|p8|jks|kdbx|keystore|ppk|ovpn|asc\.key|tfstate)"
    r"|(?:.*[-_.])?(?:private|priv|secret|server|client|tls|ssl)[-_.]?key(?:\.pem|\.txt)?"
    r"|(?![^/]*(?:cert|chain|bundle|root|pub|dhparam|csr|crl|(?<![a-z])ca[^a-z]))[^/]+\.pem"
    r"|ca[-_]key\.pem"
    r"|(?:[\w-]*[-_.])?(?:credentials?|secrets?|service[-_]?account[\w-]*"
    r"|client[-_]secret[\w.-]*)\.(?:json|ya?ml|toml|ini|txt|enc|properties|cfg|conf)"
    r"|application_default_credentials\.json|master\.key|passwords?\.(?:txt|csv|json|ya?ml|kdbx)"
)
_SECRET = re.compile(
    rf"(?:^|/)(?:{_IN_HOME}|{_BY_NAME})[?*]*\Z"
    r"|^/etc/(?:shadow|gshadow|ssl/private(?:/.*)?|kubernetes/.*\.conf|krb5\.keytab"
    r"|ssh/ssh_host_\w+key"
    r"|wireguard/.*|ipsec\.secrets|openvpn/.*)-?\Z"
    r"|^/proc/[^/]+/(?:environ|mem|maps)\Z|^/(?:var/)?run/secrets(?:/.*)?\Z|^/var/lib/[^/]+/\.aws/"
)
_EXAMPLE = re.compile(
    r"[-_.](?:example|sample|template|dist|tmpl|tpl)(?:\.\w+)?\Z|(?:^"
    r"|/)(?:testdata|fixtures)/"
)
_KEPT_TOGETHER = re.compile(r"(?:^|/)\.(?:ssh|aws|gnupg|kube|docker)/[^/]*[*?\[][^/]*\Z")
"""A wildcard in a directory that holds little else."""
_CREDENTIAL = re.compile(rf"(?:^|/)(?:{_IN_HOME})\Z")


def is_secret(path: str) -> bool:
    """Whether a file of this path holds keys or passwords."""
    if _EXAMPLE.search(path):
        return False
    return bool(_SECRET.search(path) or _KEPT_TOGETHER.search(path)) or _may_be(path)


_WELL_KNOWN = (
    ".env",
    ".netrc",
    ".pgpass",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "id_rsa",
    "id_ed25519",
)


def _may_be(path: str) -> bool:
    """Whether a name with wildcards (``.e*``) may stand for one that is well known."""
    name = path.rpartition("/")[2]
    if not any(mark in name for mark in "*?[") or len(name.strip("*?.")) < 1:
        return False
    return name[:1] in ".i" and any(fnmatchcase(known, name) for known in _WELL_KNOWN)


def is_credential(path: str) -> bool:
    """Whether a file is where a program of somebody's keeps what it logs in with."""
    return _CREDENTIAL.search(path) is not None


NAME_ONLY = names(
    "ls ll stat file test [ [[ chmod chown chgrp rm rmdir unlink touch mkdir find fd echo printf "
    "which type command"
    " basename dirname realpath readlink du df tree cd pushd popd export set unset local declare "
    "typeset readonly"
    " alias source . ssh ssh-add ssh-keygen ssh-copy-id mosh git gh glab docker podman "
    "docker-compose compose"
    " kubectl helm npm npx pnpm yarn bun make cargo go mvn gradle uv poetry pip pip3 env sudo "
    "doas time timeout"
    " nohup nice exec eval xargs watch true false : trap wait sleep kill pkill open code vim vi "
    "nano emacs nvim"
    " ln shred truncate wc lsattr chattr getfacl setfacl restorecon git-crypt shasum sha256sum "
    "md5sum sha1sum cksum"
    " direnv dotenv dotenvx read for while if case until select function return exit printenv "
    "jobs man info history"
    " pytest jest vitest tox nox ruff mypy eslint prettier mount umount inotifywait entr "
    "nslookup dig mysql psql"
)
"""Programs that are given a file's name and hand its content to nobody."""
READERS = names(
    "cat head tail less more nl tac bat batcat strings xxd od hexdump base64 base32 sed gsed awk "
    "gawk mawk nawk grep"
    " egrep fgrep rg ag cut sort uniq paste rev fold fmt column jq yq diff comm split gzip bzip2 "
    "xz zstd zip 7z tar"
    " bsdtar cpio view tee pr expand iconv dos2unix cmp join look csplit pbcopy xclip xsel clip "
    "openssl gpg age"
)
"""Programs whose words are files that they read, options with a value as well."""
_PATTERNED = names("grep egrep fgrep rg ag sed gsed awk gawk mawk nawk jq yq perl")
"""Programs whose first word is no file but what is done or looked for."""
_COPIERS = frozenset({"cp", "mv", "scp", "rsync", "install"})
_VALUES = frozenset(
    {"-i", "-o", "-P", "-e", "-F", "-n", "-c", "-m", "-t", "-S", "-p", "-g", "-J", "-l"}
)
_SCRIPTED = frozenset({"-e", "-f", "--expression", "--file", "--regexp", "--from-file"})
_CURL = re.compile(r"(?:.*=)?[@<](.+)|file://(.+)", re.DOTALL)
_FIELD = re.compile(r"[\w.\[\]-]+@[^@:]+")
"""A file that httpie sends as a field of a form."""
_WGET = re.compile(r"--(?:post|body)-f\w*=(.+)")
_LITERAL = re.compile(r"""['"]([^'"\n]{0,200})['"]""")


@lru_cache(maxsize=512)
def secrets_read(each: Invocation) -> tuple[str, ...]:
    """Return the files of secrets whose content a call takes in."""
    if not each.argv and not each.redirects:
        return ()
    written = {effect.path for effect in effects_of(each) if effect.kind is Kind.WRITE}
    paths = (resolve(word.rstrip("/") or "/", each.cwd) for word in _reads(each))
    return tuple(path for path in paths if is_secret(path) and path not in written)


def _reads(each: Invocation) -> Iterator[str]:
    """Yield the names of the files whose content a call takes in."""
    program, words = each.program, each.argv[1:]
    yield from (redirect.target for redirect in each.redirects if redirect.operator == "<")
    yield from (effect.path for effect in effects_of(each) if _is_read(effect))
    if program in _COPIERS:
        yield from plain_words(each, _VALUES)[:-1]
    elif program in {"curl", "wget", "http", "https", "xh", "socat", "dd"}:
        yield from sent_files(each)
    elif program == "git":
        yield from _of_git(each)
    elif program == "ln":
        yield from plain_words(each)[:-1]
    elif is_interpreter(program):
        code = code_of(each) or ""
        found = (match[1] for match in _LITERAL.finditer(code))
        yield from (text for text in found if "/" in text or "." in text)
        yield from plain_words(each, _SCRIPTED) if program in {"perl", "ruby"} else ()
    elif program in READERS:
        yield from _files_of(each)
        yield from (word.partition("=")[2] for word in words if word.startswith("--"))
    elif program not in NAME_ONLY:
        # What follows an option of a program that nobody knows may be its setting: --env-file .env
        yield from (word for before, word in pairwise(each.argv) if not before.startswith("-"))


def _files_of(each: Invocation) -> list[str]:
    # What is an option's value to one of them is a file to another: none is passed over.
    plain = plain_words(each)
    told = any(word[:2] in _SCRIPTED or word.partition("=")[0] in _SCRIPTED for word in each.argv)
    if each.program not in _PATTERNED or told or not plain:
        return plain
    # The first word is what is looked for, unless it is the value of an option before it.
    before = each.argv[each.argv.index(plain[0]) - 1]
    return plain if before.startswith("--") and "=" not in before else plain[1:]


def _is_read(effect: Effect) -> bool:
    return effect.kind is Kind.READ and not effect.construct.startswith("redirection")


def sent_files(each: Invocation) -> Iterator[str]:
    """Yield the files that a client of the network sends, or ``dd`` and ``socat`` read."""
    words = each.argv[1:]
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == "--data-urlencode" and "@" in following:
            yield following.partition("@")[2]
        curl = _CURL.fullmatch(word) if each.program in {"curl", "http", "https", "xh"} else None
        wget = _WGET.fullmatch(word) if each.program == "wget" else None
        glued = (
            re.match(r"-[A-Za-z]*[dFT](?:[\w.]*=)?@?(.+)", word) if each.program == "curl" else None
        )
        if curl is not None:
            yield (curl[1] or curl[2]).partition(",")[0].partition(";")[0].strip('"')
        elif wget is not None:
            yield wget[1]
        elif glued is not None and "@" in word:
            yield word.partition("@")[2].partition(";")[0]
        elif each.program in {"http", "https", "xh"} and _FIELD.fullmatch(word):
            yield word.partition("@")[2]
        elif word in {"-T", "--upload-file", "--post-file", "--body-file"} and following:
            yield following
        elif word.startswith("--upload-file="):
            yield word.partition("=")[2]
        elif each.program == "socat" and word.lower().startswith(
            ("open:", "file:", "pipe:", "gopen:")
        ):
            yield word.partition(":")[2].partition(",")[0].strip('"')
        elif each.program == "dd" and word.startswith("if="):
            yield word[3:]


def _of_git(each: Invocation) -> Iterator[str]:
    told = git_command(each)
    if told.argv[:1] in {("show",), ("cat-file",), ("blame",), ("archive",)}:
        yield from (word.partition(":")[2] for word in told.argv[1:] if ":" in word)
    shows = {"-p", "--patch", "-u"} & set(told.argv)
    if told.argv[:1] in {("diff",), ("archive",), ("blame",)} or (
        told.argv[:1] == ("log",) and shows
    ):
        yield from told.argv[1:]
