"""A name says so little that another program in the same environment may mean it too."""

from collections import Counter
from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.check_env_reserved import keeps
from pointsman.preflight.reserved import GENERIC


def _run(project: Project) -> Iterator[Finding]:
    counts = Counter((use.name, use.file) for use in project.uses)
    told: set[tuple[str, str]] = set()
    for use in project.uses:
        if use.name not in GENERIC or any(keeps(each, use.name) for each in project.targets):
            continue
        # Once for a file: the first place leads to the others.
        key = (use.name, use.file)
        if key in told:
            continue
        told.add(key)
        more = f" (in {counts[key]} places of this file)" if counts[key] > 1 else ""
        yield Finding(
            id=CHECK.id, level=Level.WARNING, file=use.file, line=use.line,
            what=f"{use.name} is a name that other programs may use for something else{more}",
            why=CHECK.why,
            fix=f"name it {project.prefix}{use.name}: pointsman preflight --fix",
        )  # fmt: skip


CHECK = Check(
    id="env-generic",
    level=Level.WARNING,
    why="Libraries, base images and other services read such names as well, and whoever sets one "
    "for them sets it for this program. Nothing refuses it, so that it is noticed late.",
    source="mix-ups of that kind: Shuffle/Singul#1, xorbitsai/xagent#372, hyperfy-xyz/hyperfy#131, "
    "google-github-actions/setup-gcloud#166",
    fix="begin the name with the program's own",
    run=_run,
)
