"""The demo: a sample repository, a recorded session, the real client and the real daemon."""
