"""Every kind of sink: a new one is one file and one line here."""

from dataclasses import dataclass

from pointsman.telemetry import to_file, to_otlp, to_webhook
from pointsman.telemetry.sink import Deliver


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of sink takes, and how it is given it."""

    signals: tuple[str, ...]
    deliver: Deliver


KINDS: dict[str, Kind] = {
    "otlp": Kind(to_otlp.SIGNALS, to_otlp.deliver),
    "file": Kind(to_file.SIGNALS, to_file.deliver),
    "webhook": Kind(to_webhook.SIGNALS, to_webhook.deliver),
}
