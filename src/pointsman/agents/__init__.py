"""One file per coding agent: its wire to Event, Decision to its wire, its hook settings."""
