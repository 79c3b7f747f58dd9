"""What a language server asks of its client, and what we say to it."""

from collections.abc import Mapping
from typing import Any

_NO_DOWNLOADS = {
    "disableAutomaticTypeAcquisition": True,
    "tsserver": {"automaticTypeAcquisition": {"enabled": False}},
}
SECTIONS: Mapping[str, Any] = {
    # TypeScript's would install @types packages with npm, for JavaScript that has none.
    "typescript": _NO_DOWNLOADS,
    "javascript": _NO_DOWNLOADS,
    "js/ts": _NO_DOWNLOADS,
    # Nothing here reads diagnostics: a server that computes them answers later.
    "ty": {"diagnosticMode": "off"},
    "python": {"analysis": {"diagnosticMode": "openFilesOnly", "autoImportCompletions": False}},
    "python.analysis": {"diagnosticMode": "openFilesOnly", "autoImportCompletions": False},
}
"""Our settings for servers, by the section that they ask for."""

CAPABILITIES: Mapping[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True},
    "workspace": {
        "applyEdit": False,
        "configuration": True,
        "workspaceFolders": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        # Without it servers watch the disk themselves, or not at all and say nothing (ty 0.0.105).
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True},
    },
    "textDocument": {
        "synchronization": {"dynamicRegistration": False, "didSave": False},
        "definition": {"linkSupport": True},
        "typeDefinition": {"linkSupport": True},
        "references": {},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
    },
    # Rust's says with it whether it is still reading the crates.
    "experimental": {"serverStatusNotification": True},
}
"""What we can do; what is not here we are not asked for."""


class Replies:
    """Answers the requests of one server for one root."""

    def __init__(self, folders: list[dict[str, str]], settings: Mapping[str, Any]) -> None:
        self._folders = folders
        self._sections = {**SECTIONS, **settings}

    def __call__(self, method: str, params: Any) -> Any:
        """Return the result.

        Raises:
            LookupError: it is no request that a client of ours answers.
        """
        if method == "workspace/configuration":
            items = params.get("items") if isinstance(params, dict) else None
            return [self._section(item) for item in (items if isinstance(items, list) else ())]
        if method == "workspace/workspaceFolders":
            return self._folders
        return _FIXED[method]

    def _section(self, item: object) -> Any:
        name = item.get("section") if isinstance(item, dict) else None
        return self._sections.get(name) if isinstance(name, str) else None


_FIXED: Mapping[str, Any] = {
    "client/registerCapability": None,
    "client/unregisterCapability": None,
    "window/workDoneProgress/create": None,
    "window/showMessageRequest": None,
    "window/showDocument": {"success": False},
    # We ask about code; whoever answers a question with an edit does not get it.
    "workspace/applyEdit": {"applied": False, "failureReason": "nothing is edited from here"},
    "workspace/codeLens/refresh": None,
    "workspace/diagnostic/refresh": None,
    "workspace/foldingRange/refresh": None,
    "workspace/inlayHint/refresh": None,
    "workspace/inlineValue/refresh": None,
    "workspace/semanticTokens/refresh": None,
}
