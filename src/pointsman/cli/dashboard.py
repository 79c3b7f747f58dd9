"""``pointsman dashboard``: open the dashboard in a browser, by a link that works once."""

import json
import os
import sys
import time
import webbrowser
from importlib import resources

import click

from pointsman.cli.person import answering
from pointsman.cli.places import places
from pointsman.cli.up import start
from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.serve.dashboard_key import LINK_S, key_of, revoke, sign
from pointsman.store.approvals import Approvals

_NOT_BUILT = (
    "the pages were not built: there was no Node.js when the package was installed; install "
    "Node.js 20 or newer with npm, then install Pointsman again"
)


@click.command()
@click.option("--no-open", is_flag=True, help="Only print the link.")
@click.option("--revoke", "again", is_flag=True, help="First shut out every browser and script.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and open nothing.")
def command(no_open: bool, again: bool, as_json: bool) -> None:
    """Open the dashboard by a link that works once, within 2 minutes; starts the daemon."""
    where = places()
    status = start(where)
    if where.approvals.exists():
        # A link lets its holder answer questions: an agent's session gets none.
        answering(Approvals(where.approvals))
    found = status.get("dashboard") or {"url": None, "reason": "an older daemon runs"}
    if found["url"] is None:
        raise TransportError(
            f"there is no dashboard: {found['reason'] or 'it is just starting'}",
            fix="see dashboard.enabled and dashboard.port in your settings, then: "
            "pointsman up --restart",
        )
    if again:
        revoke(where.dashboard_key)
    link = _link(where, found["url"])
    if as_json:
        click.echo(json.dumps({"url": found["url"], "link": link, "valid_for_s": LINK_S}))
        return
    click.echo(link)
    if not (resources.files("pointsman") / "web/static/index.html").is_file():
        click.echo(_NOT_BUILT, err=True)
    if not no_open and not _opened(link):
        click.echo("no browser could be started here: open the link in one yourself", err=True)


def _link(where: Places, url: str) -> str:
    code = sign(key_of(where.dashboard_key), "link", time.time(), LINK_S)
    return f"{url}open?code={code}"


def _opened(link: str) -> bool:
    # Without a display a browser in the terminal would be started, which runs no script.
    if not _has_display():
        return False
    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False


def _has_display() -> bool:
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(named) or sys.platform == "darwin"
