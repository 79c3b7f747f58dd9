"""Where a project is deployed to, by what its files say."""

import re
from collections.abc import Iterator

from pointsman.model.preflight import Files, Target

_SIGNS: tuple[tuple[Target, "re.Pattern[str]", "re.Pattern[bytes]"], ...] = (
    (Target.CLOUD_RUN, re.compile(r".*\.ya?ml\Z"),
     re.compile(rb"serving\.knative\.dev/|run\.googleapis\.com/|deploy-cloudrun@|gcloud run deploy"
                rb"|['\"]run['\"],\s*['\"]deploy['\"]")),
    (Target.CLOUD_RUN, re.compile(r".*\.tf\Z"), re.compile(rb"google_cloud_run_")),
    (Target.CLOUD_RUN, re.compile(r".*(?:\.sh|Makefile|Justfile|justfile)\Z"),
     re.compile(rb"gcloud (?:beta |alpha )?run deploy|adk deploy cloud_run")),
    (Target.FUNCTIONS, re.compile(r"(?:.*/)?firebase\.json\Z"), re.compile(rb"\"functions\"")),
    (Target.FUNCTIONS, re.compile(r".*\.tf\Z"), re.compile(rb"google_cloudfunctions")),
    (Target.FUNCTIONS, re.compile(r".*(?:requirements.*\.txt|pyproject\.toml|package\.json)\Z"),
     re.compile(rb"functions-framework|firebase-functions")),
    (Target.FUNCTIONS, re.compile(r".*(?:\.sh|\.ya?ml|Makefile)\Z"),
     re.compile(rb"gcloud functions deploy|deploy-cloud-functions@")),
    (Target.AGENT_ENGINE, re.compile(r".*\.py\Z"),
     re.compile(rb"\bagent_engines\.(?:create|update)\b|\breasoning_engines\b|\bAdkApp\(")),
    (Target.AGENT_ENGINE, re.compile(r".*(?:\.sh|\.ya?ml|Makefile)\Z"),
     re.compile(rb"adk deploy agent_engine")),
    (Target.AGENT_ENGINE, re.compile(r".*\.tf\Z"),
     re.compile(rb"google_vertex_ai_reasoning_engine")),
    (Target.LAMBDA, re.compile(r".*\.(?:ya?ml|json)\Z"),
     re.compile(rb"AWS::(?:Serverless|Lambda)::Function"
                rb"|^provider:\s*(?:aws\b|\n(?:[ \t].*\n)*?[ \t]+"
                rb"name:\s*aws\b)", re.MULTILINE)),
    (Target.LAMBDA, re.compile(r".*\.tf\Z"), re.compile(rb"aws_lambda_function")),
    (Target.KUBERNETES, re.compile(r".*\.ya?ml\Z"),
     re.compile(rb"^kind:\s*['\"]?(?:Deployment|StatefulSet|DaemonSet|CronJob|Job|Pod)\b",
                re.MULTILINE)),
    (Target.KUBERNETES, re.compile(r".*\.tf\Z"),
     re.compile(rb"\"kubernetes_(?:deployment|stateful_set|daemon_?set|pod|job|cron_job)")),
)  # fmt: skip
"""Target, files in which it shows, and what shows it there."""


def targets_of(files: Files) -> tuple[Target, ...]:
    """Return every target that a project's files speak of, in the order of ``Target``."""
    found = set(_found(files))
    return tuple(each for each in Target if each in found)


def _found(files: Files) -> Iterator[Target]:
    for name in files.names:
        for target, file, sign in _SIGNS:
            if file.match(name) and sign.search(files.read(name)):
                yield target
