"""The dashboard: a process of its own that reads the ledger and never writes to it."""
