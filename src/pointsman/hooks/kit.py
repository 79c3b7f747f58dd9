"""What the shipped hooks are given to work with: everything that is in neither event nor policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pointsman.hooks.proof_memory import Begun
from pointsman.model.alerting import NothingStands, Standing
from pointsman.model.bundle import NothingTold, Told
from pointsman.model.convention import Conventions, NoConventions
from pointsman.model.event import Event
from pointsman.model.expertise import Experts, NoExperts
from pointsman.model.handoff import Handoff, NoHandoff
from pointsman.model.limit import NothingSpent, Spent
from pointsman.model.places import Places
from pointsman.model.proof import Prover
from pointsman.model.ran import RunCommand, run_nothing
from pointsman.model.secret import NoSecrets, Secrets
from pointsman.model.server_health import NobodyWatches, Servers
from pointsman.model.team import Nobody, Team

Fault = Callable[[Event, str], str]
"""Returns what a change of the host's settings would do to our guards, or the empty string."""

Writable = Callable[[Event], tuple[str, ...] | None]
"""Returns what the kernel let a call write (``engine/reached.py``); ``None``: nothing held it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The services that a hook may use; one for the whole daemon.

    Rooms do not know one another: what a hook needs of another room comes in here, as a callable
    or a protocol that the model states. ``assembly.py`` fills it.
    """

    places: Places
    fault: Fault = lambda _event, _home: ""
    team: Team = field(default_factory=Nobody)
    spent: Spent = field(default_factory=NothingSpent)
    standing: Standing = field(default_factory=NothingStands)
    environ: Callable[[], Mapping[str, str]] = dict
    run_command: RunCommand = run_nothing
    secrets: Secrets = field(default_factory=NoSecrets)
    prover: Prover | None = None
    """Who proves what calls have changed; nobody where a call is only looked at (``explain``)."""
    begun: Begun = field(default_factory=Begun)
    experts: Experts = field(default_factory=NoExperts)
    conventions: Conventions = field(default_factory=NoConventions)
    handoff: Handoff = field(default_factory=NoHandoff)
    writable: Writable = lambda _event: None
    servers: Servers = field(default_factory=NobodyWatches)
    told: Told = field(default_factory=NothingTold)
