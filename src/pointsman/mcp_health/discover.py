"""From the hosts' own files to the servers that they would use."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pointsman.mcp_health.expand import Expander
from pointsman.mcp_health.hosts.all_hosts import HOSTS
from pointsman.mcp_health.look import Declared, Look, table_of, texts
from pointsman.model.server_health import Server

_HTTP = {"http", "streamable-http", "streamable_http", "streamableHttp", "remote"}
_OURS = "our own server: pointsman doctor asks it"


def servers(look: Look, hosts: Iterable[str] = tuple(HOSTS)) -> list[Server]:
    """Return the servers of these hosts, of several with one name the one that the host takes.

    What is switched off is left out. What could not be read stands in ``look.problems``.
    """
    found: dict[tuple[str, str], Server] = {}
    for host in hosts:
        declared = list(HOSTS[host](look)) if host in HOSTS else []
        # A managed list shuts all others out.
        strongest = [each for each in declared if each.wins] or declared
        for each in strongest:
            if not _is_off(each.table):
                found.setdefault((host, each.name), server_of(each, host, look))
    return list(found.values())


def server_of(declared: Declared, host: str, look: Look) -> Server:
    """Return one declaration as a server: words split, variables in place."""
    table = declared.table
    places = {"workspaceFolder": declared.root or look.repository, "userHome": str(look.home)}
    expander = Expander(declared.style, look.environ, places)
    url = _first(table, "url", "httpUrl", "serverUrl")
    command = _command(table)
    transport = _transport(table, url)
    headers = _headers(table, expander)
    env = {key: expander.text(value) for key, value in _strings(
        table.get("env") or table.get("environment")
    ).items()}  # fmt: skip
    for name in texts(table.get("env_vars")):
        _take(name, name, env, expander)
    words = tuple(expander.text(word) for word in command)
    ours = len(words) > 1 and words[-1] == "mcp" and any(
        PurePosixPath(word).name == "pointsman" for word in words
    )  # fmt: skip
    return Server(
        name=declared.name, host=host, scope=declared.scope, file=str(declared.file),
        transport=transport, command=words, url=expander.text(url), env=env, headers=headers,
        cwd=expander.text(_first(table, "cwd")), root=declared.root, timeout=_seconds(table),
                unset=tuple(expander.unset),
        variables=tuple(expander.named),
 held=_OURS if ours else declared.held,
        problem="" if expander.unset else _problem(transport, words, expander.text(url)),
    )  # fmt: skip


def _transport(table: Mapping[str, Any], url: str) -> str:
    said = _first(table, "type", "transport")
    if said in {"sse", "ws", "sdk"}:
        return said
    if said in _HTTP or (url and said not in {"stdio", "local"}):
        # Gemini: `url` alone is the older transport, `httpUrl` the newer; the probe tries both.
        return "http"
    return "stdio"


def _problem(transport: str, command: tuple[str, ...], url: str) -> str:
    if transport == "stdio":
        return "" if command and command[0] else "it has neither a command nor a URL"
    if transport in {"ws", "sdk"}:
        return f"servers of the type {transport} are not probed"
    if not url.startswith(("http://", "https://")):
        return "it has no http(s) URL"
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError as error:
        return f"its URL cannot be read: {error}"
    return "" if host and port != 0 else "its URL names no host"


def _command(table: Mapping[str, Any]) -> list[str]:
    command = table.get("command")
    words = [command] if isinstance(command, str) else texts(command)
    return words + texts(table.get("args"))


def _headers(table: Mapping[str, Any], expander: Expander) -> dict[str, str]:
    given = {**_strings(table.get("headers")), **_strings(table.get("http_headers"))}
    headers = {key: expander.text(value) for key, value in given.items()}
    for header, name in _strings(table.get("env_http_headers")).items():
        _take(name, header, headers, expander)
    token = _first(table, "bearer_token_env_var")
    if token:
        _take(token, "Authorization", headers, expander)
        if "Authorization" in headers:
            headers["Authorization"] = f"Bearer {headers['Authorization']}"
    return headers


def _take(variable: str, key: str, into: dict[str, str], expander: Expander) -> None:
    expander.named[variable] = None
    value = expander.environ.get(variable)
    if value is None:
        expander.unset[variable] = None
    else:
        into[key] = value


def _seconds(table: Mapping[str, Any]) -> float | None:
    """Return how long the host waits for it to start, where the file says so."""
    units = {"startup_timeout_sec": 1.0, "startup_timeout_ms": 1000.0, "timeout": 1000.0}
    for key, unit in units.items():
        value = table.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return value / unit
    return None


def _is_off(table: Mapping[str, Any]) -> bool:
    return table.get("enabled") is False or table.get("disabled") is True


def _strings(value: object) -> dict[str, str]:
    return {
        key: str(each)
        for key, each in table_of(value).items()
        if isinstance(each, str | int | float) and not isinstance(each, bool)
    }


def _first(table: Mapping[str, Any], *keys: str) -> str:
    found = (table.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str)), "")
