"""A repository, a user and their files."""

import os
from dataclasses import dataclass
from pathlib import Path

from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.trust import TrustState
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, Policy

GUARD = """\
from pointsman import guard, deny
@guard("PreToolUse")
async def check(event, ctx):
    return deny("no")
"""


@dataclass(frozen=True)
class Machine:
    """Where a user has settings and a repository."""

    path: Path

    @property
    def places(self) -> Places:
        return Places(state=self.path / "state", config=self.path / "config")

    @property
    def root(self) -> Path:
        return self.path / "repository"

    def user(self, text: str) -> Path:
        return _write(self.places.user_config, text)

    def settings(self, text: str) -> Path:
        return _write(self.root / ".pointsman/config.toml", text)

    def hook(self, text: str = GUARD, name: str = "check.py") -> Path:
        return _write(self.root / ".pointsman/hooks" / name, text)

    def file(self, name: str, text: str) -> Path:
        return _write(self.root / name, text)

    def loader(self) -> PolicyLoader:
        self.places.state.mkdir(exist_ok=True)
        self.root.mkdir(exist_ok=True)
        return PolicyLoader(self.places)

    def policy(self) -> Policy:
        return self.loader().policy_for(str(self.root))

    def trust(self) -> None:
        loader = self.loader()
        loader.trust.trust(self.root, loader.repository_hooks(str(self.root)))

    def trusted(self) -> TrustState:
        loader = self.loader()
        return loader.trust.state(self.root, loader.repository_hooks(str(self.root)))

    def hooks(self) -> dict[str, DeclaredHook]:
        """Return the hooks in force, the stops of tampered guards under a name of their own."""
        hooks = self.policy().hooks
        return {f"{'stop ' if hook.tampered else ''}{hook.name}": hook for hook in hooks}


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rewrite_in_place(path: Path, text: str) -> None:
    """Change a file so that its size and its time of change say nothing."""
    found = path.stat()
    assert len(text) == found.st_size
    path.write_text(text)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
