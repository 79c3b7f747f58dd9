"""Tests of the coding agents we speak with."""
