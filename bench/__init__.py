"""Timing: ratios that are measured within one run, each beside its goal."""
