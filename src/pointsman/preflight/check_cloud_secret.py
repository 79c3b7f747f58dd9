"""A secret is written as plain text where it is deployed from."""

from collections.abc import Iterator
from dataclasses import replace

from pointsman.model.audit import Level
from pointsman.model.preflight import Check
from pointsman.preflight.environments_model import Difference, Environment, Rank, Source
from pointsman.preflight.environments_program import Program, fault, on_deployed

_PLAIN = {Source.LITERAL: "in the manifest", Source.IMAGE: "in the image",
          Source.CONFIG: "in a config map"}  # fmt: skip


def faults(environment: Environment, _: Program) -> Iterator[Difference]:
    """Yield the variables that hold a secret and come from no secret."""
    for each in environment.variables.values():
        if each.secret and each.mark and not each.empty and each.source in _PLAIN:
            made = fault(
                CHECK, Rank.BEHAVIOUR, (each.file, each.line),
                f"{each.name} is a secret and stands as plain text {_PLAIN[each.source]}",
            )  # fmt: skip
            # It breaks nothing, and is an error: whoever reads the file has it.
            yield replace(made, level=Level.ERROR)


CHECK = Check(
    id="cloud-secret",
    level=Level.ERROR,
    why="Who may read the repository, the image or the service's description has the secret, and "
    "a new one needs a new deployment.",
    source="Cloud Run: use Secret Manager for secrets; Kubernetes: good practices for Secrets",
    fix="keep it in the platform's secret store and refer to it (secretKeyRef, "
    "{{resolve:secretsmanager:…}}); take the one that stands here out of use",
    run=on_deployed(faults),
)
