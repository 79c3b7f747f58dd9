"""A process of its own beside the daemon: sends the record out, takes the host's telemetry in."""
