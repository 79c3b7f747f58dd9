"""Tests with the real coding agents, and the rig that drives them."""
