"""Every check, in the order in which they are reported."""

from pointsman.model.preflight import Check
from pointsman.preflight import check_env_generic, check_env_reserved, check_unread

CHECKS: tuple[Check, ...] = (
    check_env_reserved.CHECK,
    check_env_generic.CHECK,
    check_unread.CHECK,
)
"""A new check is one file and one line here."""
