r"""The errors of this package.

PointsmanError
├── ConfigError          settings, contracts or trust that cannot be read (all findings at once)
├── PayloadError         what a host sent is not an event
├── LedgerError          the record cannot be read or written
│   └── LedgerCorrupt    the file is not a sound database
├── ApprovalError        an approval that is not there, or not in a state for what is wanted of it
├── AlertError           the same of an alert
├── PreflightError       a renaming before deployment that cannot be made or taken back
├── HookError            a user's hook cannot be loaded or did not answer as agreed
├── TransportError       client and daemon did not understand one another
│   └── DaemonUnreachable
├── ServerError          a language server is not there, or did not answer as agreed
└── HostError            the coding agent is not there, too old, or refuses its settings

A policy violation is none of them: it is a ``Decision``.
"""


class PointsmanError(Exception):
    """Something that Pointsman could not do.

    ``str(error)`` says what is wrong, with the value; ``fix`` is the next command or edit.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class ConfigError(PointsmanError):
    """Settings, contracts or trust that cannot be read."""


class PayloadError(PointsmanError):
    """What a host sent is not an event."""


class LedgerError(PointsmanError):
    """The record cannot be read or written."""


class LedgerCorrupt(LedgerError):
    """The ledger file is not a sound database."""


class ApprovalError(PointsmanError):
    """An approval is not there or cannot be had, or is not in a state for what is wanted of it."""


class AlertError(PointsmanError):
    """An alert is not there or cannot be had, or is not in a state for what is wanted of it."""


class PreflightError(PointsmanError):
    """A renaming before deployment cannot be made or taken back; no file was changed."""


class HookError(PointsmanError):
    """A user's hook cannot be loaded, or did not answer as agreed."""


class TransportError(PointsmanError):
    """Client and daemon did not understand one another."""


class DaemonUnreachable(TransportError):
    """No daemon answers on the socket."""


class ServerError(PointsmanError):
    """A language server is not there, or did not answer as agreed."""


class HostError(PointsmanError):
    """The coding agent is not there, is too old, or refuses its settings."""
