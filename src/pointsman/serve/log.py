"""How a line of the daemon's log looks: with every secret covered."""

import logging

from pointsman.model.secret import Secrets

FORM = "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"


class _Covering(logging.Formatter):
    def __init__(self, secrets: Secrets) -> None:
        super().__init__(FORM)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole entry, a traceback included, with its secrets covered."""
        return self._secrets.text(super().format(record))


def cover_log(secrets: Secrets) -> None:
    """Have every handler that is set up cover secrets from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Covering(secrets))
