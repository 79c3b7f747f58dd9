"""Tests of the guards that we ship."""
