"""The files that the browser is given: built from ``ui/`` when the package is built."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

STATIC = Path(__file__).parent / "static"
_NAMES = ("now", "sessions", "cost", "hooks", "alerts", "ledger", "agents")
_KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Pointsman</title>
<h1>The dashboard was not built</h1>
<p>When this package was installed there was no Node.js, which builds the dashboard's pages.
Everything else works; so does the interface for programs
(<a href="/api/status">/api/status</a>).</p>
<p>Install Node.js 20 or newer with npm, then install Pointsman again. From a clone:</p>
<pre>make clean demo</pre>
"""


class Pages:
    """One page for every address of the dashboard: what it shows, it finds out in the browser."""

    addresses = (
        "/", *(f"/{name}" for name in _NAMES), "/sessions/{name:path}", "/ledger/{seq:int}",
        "/alerts/{name}",
    )  # fmt: skip

    def __init__(self, static: Path) -> None:
        self._static = static

    async def page(self, _: Request) -> Response:
        """Return the page, or what to do where there is none."""
        index = self._static / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return FileResponse(index, media_type="text/html")

    async def asset(self, request: Request) -> Response:
        """Return a built file; its name has the hash of its content."""
        folder = self._static / "assets"
        name = request.path_params["name"]
        kind = _KINDS.get(Path(name).suffix)
        if kind is None or "/" in name or not (folder / name).is_file():
            return HTMLResponse("no such file", 404)
        headers = {"cache-control": "private, max-age=31536000, immutable"}
        return FileResponse(folder / name, media_type=kind, headers=headers)
