"""``pointsman ledger verify`` and ``ledger key``: does the record still say what it said?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pointsman.cli.person import answering_alert
from pointsman.cli.places import places
from pointsman.model.errors import LedgerError
from pointsman.model.places import Places
from pointsman.serve import control
from pointsman.serve.ledger_key import key_path
from pointsman.store.signing import parse_public, public_key
from pointsman.store.verdict import Trust, Verdict
from pointsman.store.verdict import verify as verdict_of

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--checkpoints", "files", type=_FILE, multiple=True,
    help="Hold it against checkpoints that were sent elsewhere (repeatable).",
)  # fmt: skip
@click.option(
    "--key", "keys", multiple=True,
    help="Take the word of this key only: 64 hex digits, or a file that has them (repeatable).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    file: Path | None, files: tuple[Path, ...], keys: tuple[str, ...], as_json: bool
) -> None:
    """Prove that the ledger, or the one in FILE, is what it was: the exit code is 1 if not."""
    where = places()
    trust = Trust(
        keys=frozenset(map(_key, keys)),
        files=files,
        home=where.ledger,
        home_key=public_key(key_path(where)),
    )
    found = verdict_of(file or where.ledger, trust)
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else "\n".join(_lines(found)))
    # An exit code, not an error: what was asked for has been found out.
    click.get_current_context().exit(0 if found.ok else 1)


@click.command()
@click.option(
    "--hand-over", "handed", is_flag=True,
    help="Sign with a new key from now on; the old one vouches for it, then it is destroyed.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def key(handed: bool, as_json: bool) -> None:
    """Print the public key with which checkpoints are signed; to be kept elsewhere."""
    where = places()
    if handed:
        _hand_over(where)
    path = key_path(where)
    found = public_key(path)
    if found is None:
        raise LedgerError(f"there is no key at {path} yet", fix="pointsman up")
    if as_json:
        click.echo(json.dumps({"key": found.hex(), "file": str(path)}))
    else:
        click.echo(found.hex())


def _hand_over(where: Places) -> None:
    answering_alert(where)
    told = control.ask(where, "hand-over")
    if "error" in told:
        raise LedgerError(told["error"], fix=told["fix"])
    click.echo(f"handed over from {told['from']}, on record and signed by both", err=True)


def audit_lines(audit: dict[str, Any]) -> Iterator[str]:
    """Say how far the record is signed, and which sink does not take its checkpoints."""
    if audit.get("fault"):
        yield f"error      no checkpoint can be signed: {audit['fault']}"
    elif audit.get("checkpoint"):
        yield f"signed     checkpoint {audit['checkpoint']}, {audit['signed']} entries"
    for sink in audit.get("sinks", ()):
        if sink["fault"]:
            yield f"warning    {sink['sink']}: {sink['waiting']} checkpoints wait: {sink['fault']}"
        else:
            yield f"sink       {sink['sink']}: checkpoint {sink['sent']}"


def _key(text: str) -> bytes:
    file = Path(text)
    try:
        return parse_public(file.read_text(encoding="ascii") if file.is_file() else text)
    except (OSError, ValueError) as error:
        raise LedgerError(
            f"{text!r} is no public key: {error}", fix="pointsman ledger key"
        ) from error


def _lines(found: Verdict) -> Iterator[str]:
    counts = f"{found.records} records, {found.entries} entries"
    if found.ok:
        yield f"ok         {counts}: nothing was changed, removed or added"
    else:
        yield f"fault      {found.fault}, from event {found.first_bad} on: {found.words}"
        yield f"read       {counts}"
    yield f"signed     {found.signed} entries, {found.checkpoints} checkpoints in the ledger"
    for file in found.files:
        yield f"against    {file}"
    for signer in found.keys:
        yield f"key        {signer}"
    if not found.known:
        yield "warning    nobody has said whose key that is: compare it with `pointsman ledger key`"
        yield "           where the ledger was written, and name it: --key"
    if found.ok and found.entries > found.signed:
        yield f"note       {found.entries - found.signed} entries came since: not signed yet"
    if found.removed:
        yield f"note       {found.removed} events were removed by retention, on record and signed"
    if found.uncovered:
        yield f"note       {found.uncovered} rows from before the chain are not in it yet"
    if not found.files:
        yield "note       held against its own checkpoints only: who has the file and the key can"
        yield "           make others; checkpoints that were sent elsewhere: --checkpoints FILE"
