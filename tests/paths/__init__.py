"""Tests of paths and globs."""
