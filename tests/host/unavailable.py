"""What can go wrong with the rig itself, as against what it tests."""


class RigError(Exception):
    """The rig did not do its own part: the session hung, a pause was never reached."""


class HostUnavailable(RigError):
    """The real coding agent cannot be had on this machine; the message says why."""
