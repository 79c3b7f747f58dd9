"""Every check, in the order in which they are reported."""

from pointsman.model.preflight import Check
from pointsman.preflight import (
    check_async_blocking,
    check_async_client,
    check_async_coroutine,
    check_async_database,
    check_async_gather,
    check_async_ruff,
    check_async_tool,
    check_cloud_address,
    check_cloud_credentials,
    check_cloud_port,
    check_cloud_python,
    check_cloud_secret,
    check_cloud_staging,
    check_cloud_unset,
    check_cloud_writes,
    check_env_generic,
    check_env_reserved,
    check_unread,
)

CHECKS: tuple[Check, ...] = (
    check_env_reserved.CHECK,
    check_env_generic.CHECK,
    check_async_coroutine.CHECK,
    check_async_database.CHECK,
    check_async_blocking.CHECK,
    check_async_tool.CHECK,
    check_async_client.CHECK,
    check_async_gather.CHECK,
    check_async_ruff.CHECK,
    check_cloud_unset.CHECK,
    check_cloud_secret.CHECK,
    check_cloud_address.CHECK,
    check_cloud_port.CHECK,
    check_cloud_credentials.CHECK,
    check_cloud_writes.CHECK,
    check_cloud_python.CHECK,
    check_cloud_staging.CHECK,
    check_unread.CHECK,
)
"""A new check is one file and one line here."""
