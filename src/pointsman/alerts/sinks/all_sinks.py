"""Every way to tell somebody, in one table."""

from collections.abc import Callable

from pointsman.alerts.sinks import apprise, desktop, webhook
from pointsman.alerts.sinks.message import Message, Sink

SENDERS: dict[str, Callable[[Sink, Message], None]] = {
    "desktop": desktop.send,
    "webhook": webhook.send,
    "apprise": apprise.send,
}
"""A new one is one file and one line here, and its name in ``config/alert_settings.py``."""
