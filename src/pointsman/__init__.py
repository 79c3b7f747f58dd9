"""Pointsman: a lifecycle-hook runtime and control plane for production coding agents.

This package's names are what a hook written by a user needs, and nothing else.
"""

__version__ = "0.1.0"
