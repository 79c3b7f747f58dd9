"""Where Pointsman keeps its things on this machine.

The native client computes the same paths from the same variables (``client/pointsman_hook.c``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The state directory (mode 0700) and the user's configuration directory.

    ``agents`` is where the user's own agents lie; ``None`` where nobody has said.
    """

    state: Path
    config: Path
    agents: Path | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], home: Path) -> "Places":
        """Read ``POINTSMAN_STATE_DIR`` and ``POINTSMAN_CONFIG_DIR``, then the XDG variables.

        The agents are the host's matter: they lie where ``CLAUDE_CONFIG_DIR`` says.

        A relative value is ignored, as the XDG base directory specification asks.
        """
        state = _base(environ, "XDG_STATE_HOME", home / ".local/state") / "pointsman"
        config = _base(environ, "XDG_CONFIG_HOME", home / ".config") / "pointsman"
        return cls(
            state=_base(environ, "POINTSMAN_STATE_DIR", state),
            config=_base(environ, "POINTSMAN_CONFIG_DIR", config),
            agents=_base(environ, "CLAUDE_CONFIG_DIR", home / ".claude") / "agents",
        )

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return self.state / "daemon.sock"

    @property
    def lock(self) -> Path:
        """The file whose lock the one daemon holds; it contains its pid."""
        return self.state / "daemon.lock"

    @property
    def log(self) -> Path:
        """What the daemon has to say."""
        return self.state / "daemon.log"

    @property
    def ledger(self) -> Path:
        """The audit trail."""
        return self.state / "ledger.db"

    @property
    def spool(self) -> Path:
        """Frames that a client could not deliver, one file each."""
        return self.state / "spool"

    @property
    def trust(self) -> Path:
        """Which repository's files may run, by content hash."""
        return self.state / "trust.json"

    @property
    def detector(self) -> Path:
        """What is left of a daemon that ended inside the detector of secrets."""
        return self.state / "detector.state"

    @property
    def approvals(self) -> Path:
        """What is put to a person who is not there."""
        return self.state / "approvals.db"

    @property
    def alerts(self) -> Path:
        """What was found wrong, who took it up, and whom a person has stopped."""
        return self.state / "alerts.db"

    @property
    def prices(self) -> Path:
        """The user's own prices of models."""
        return self.config / "prices.toml"

    @property
    def dashboard(self) -> Path:
        """Where the dashboard is to be found; its port is taken again next time."""
        return self.state / "dashboard.json"

    @property
    def dashboard_key(self) -> Path:
        """What lets a browser or a script in."""
        return self.state / "dashboard.key"

    @property
    def dashboard_log(self) -> Path:
        """What the dashboard's process had to say."""
        return self.state / "dashboard.log"

    @property
    def telemetry(self) -> Path:
        """How far what is sent out has come."""
        return self.state / "telemetry.json"

    @property
    def telemetry_key(self) -> Path:
        """What lets Prometheus and the host's exporter in."""
        return self.state / "telemetry.key"

    @property
    def telemetry_log(self) -> Path:
        """What the relay's process had to say."""
        return self.state / "telemetry.log"

    @property
    def host_telemetry(self) -> Path:
        """What the host's own telemetry says of its sessions."""
        return self.state / "telemetry.db"

    @property
    def mcp_health(self) -> Path:
        """How MCP servers fare, and whose calls are held up."""
        return self.state / "mcp-health.json"

    @property
    def user_config(self) -> Path:
        """The user's own settings."""
        return self.config / "config.toml"


def _base(environ: Mapping[str, str], name: str, default: Path) -> Path:
    value = environ.get(name, "")
    return Path(value) if value.startswith("/") else default
