"""Any of the services of the package apprise, which is an extra of ours and loaded only here."""

import importlib

from pointsman.alerts.sinks.message import Message, NotTold, Sink, body_of, title_of

EXTRA = "pip install 'pointsman[apprise]'"
_TYPES = {"warning": "warning", "critical": "failure"}


def send(sink: Sink, message: Message) -> None:
    """Tell a service.

    Raises:
        NotTold: apprise is not installed, does not know the URL, or did not succeed.
    """
    try:
        module = importlib.import_module("apprise")
    except ImportError as error:
        raise NotTold(f"apprise is not installed here: {EXTRA}") from error
    to = sink.get("to", "")
    if not to:
        raise NotTold("neither `to` nor `to_file` gives a URL of apprise")
    given = module.Apprise()
    if not given.add(to):
        raise NotTold("apprise does not know this kind of URL")
    kind = "success" if message["state"] == "recovered" else _TYPES[str(message["severity"])]
    if not given.notify(title=title_of(message), body=body_of(message), notify_type=kind):
        raise NotTold("apprise could not deliver it")
