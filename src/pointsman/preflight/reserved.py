"""Names that a platform keeps for itself, and names that say nothing. Data.

Sources: the container contract of Cloud Run; the configuration pages of Cloud Run functions and of
AWS Lambda; `functions/env.ts` of firebase-tools; the error that Agent Engine answers with
(google/adk-python#1185); service links of Kubernetes. Agent Engine publishes no complete list.
"""

from collections.abc import Mapping

from pointsman.model.preflight import Target

_CLOUD_RUN = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_FUNCTIONS = _CLOUD_RUN | {
    "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "FIREBASE_CONFIG", "CLOUD_RUNTIME_CONFIG",
    "EVENTARC_CLOUD_EVENT_SOURCE", "ENTRY_POINT", "GCP_PROJECT", "GCLOUD_PROJECT",
    "GOOGLE_CLOUD_PROJECT", "FUNCTION_TRIGGER_TYPE", "FUNCTION_NAME", "FUNCTION_MEMORY_MB",
    "FUNCTION_TIMEOUT_SEC", "FUNCTION_IDENTITY", "FUNCTION_REGION",
}  # fmt: skip
_LAMBDA = frozenset(
    {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
     "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
     "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
     "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
     "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
)  # fmt: skip
NAMES: Mapping[Target, frozenset[str]] = {
    Target.CLOUD_RUN: _CLOUD_RUN,
    Target.FUNCTIONS: frozenset(_FUNCTIONS),
    Target.AGENT_ENGINE: frozenset(
        {"GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS",
         "GOOGLE_CLOUD_AGENT_ENGINE_ID", "PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}
    ),
    Target.LAMBDA: _LAMBDA,
    Target.KUBERNETES: frozenset({"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}),
}  # fmt: skip
"""By target: names that it refuses, or sets itself whatever one says."""

PREFIXES: Mapping[Target, tuple[str, ...]] = {
    Target.FUNCTIONS: ("X_GOOGLE_", "FIREBASE_", "EXT_", "KIT_"),
    Target.CLOUD_RUN: ("X_GOOGLE_",),
    Target.KUBERNETES: ("KUBERNETES_",),
}
"""By target: beginnings of names that it keeps."""

GENERIC = frozenset(
    {"MODEL", "MODEL_NAME", "MODEL_ID", "API_KEY", "APIKEY", "API_TOKEN", "API_URL", "API_BASE",
     "KEY", "TOKEN", "ACCESS_TOKEN", "AUTH_TOKEN", "SECRET", "SECRET_KEY", "PASSWORD", "USERNAME",
     "HOST", "PORT", "URL", "BASE_URL", "URI", "ENDPOINT", "SERVER", "ADDRESS", "REGION",
     "LOCATION", "ZONE", "PROJECT", "PROJECT_ID", "ENV", "ENVIRONMENT", "STAGE", "MODE", "NAME",
     "CONFIG", "VERSION", "PROVIDER", "TEMPERATURE", "PROMPT", "AGENT", "TIMEOUT", "BUCKET",
     "DATABASE", "DB", "DB_NAME", "DB_HOST", "DB_USER", "DB_PASSWORD", "QUEUE", "TOPIC"}
)  # fmt: skip
"""Names that another program in the same environment may mean something else by. No platform
refuses them: two libraries that both read ``MODEL`` do not notice one another."""
