"""The names that we write, as constants of our own.

The ``gen_ai.*`` names are those of OpenTelemetry's conventions for generative AI, which have a
repository of their own (open-telemetry/semantic-conventions-genai, status Development, read in
November 2026). There is no convention for hooks, decisions and cost: these are ``pointsman.*``.
"""

from typing import Final

CONVERSATION: Final = "gen_ai.conversation.id"
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_NAME: Final = "gen_ai.agent.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL: Final = "gen_ai.tool.call.id"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All of them, those that were read from a cache or written to it among them."""
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - a metric
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - an attribute
"""``input`` or ``output``: the convention knows no other, and caches are input."""
ERROR_TYPE: Final = "error.type"

CHAT: Final = "chat"
INVOKE_AGENT: Final = "invoke_agent"
EXECUTE_TOOL: Final = "execute_tool"
TOOL_FUNCTION: Final = "function"
TOOL_EXTENSION: Final = "extension"
"""A tool that the agent's side runs, and one of an MCP server."""

COST: Final = "pointsman.cost.usd"
HOST: Final = "pointsman.host"
SEQ: Final = "pointsman.seq"
EVENT: Final = "pointsman.event.name"
DECISION: Final = "pointsman.decision"
RULE: Final = "pointsman.rule"
REASON: Final = "pointsman.reason"
CAUSE: Final = "pointsman.cause"
DECIDED_BY: Final = "pointsman.decided_by"
TRANSPORT: Final = "pointsman.transport"
REPOSITORY: Final = "pointsman.repository"
PROMPT: Final = "pointsman.prompt.id"
PARENT_AGENT: Final = "pointsman.agent.parent"
DERIVED_FROM: Final = "pointsman.derived_from"
PERMISSION_MODE: Final = "pointsman.permission_mode"
ROLE: Final = "pointsman.agent.role"
HOOK: Final = "pointsman.hook.name"
HOOK_ROLE: Final = "pointsman.hook.role"
HOOK_OUTCOME: Final = "pointsman.hook.outcome"
HOOK_BUDGET: Final = "pointsman.hook.budget_ms"
HOOK_REASON: Final = "pointsman.hook.reason"
NOTE: Final = "pointsman.note"

LOG_UID: Final = "log.record.uid"
SERVICE: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE: Final = "service.instance.id"
