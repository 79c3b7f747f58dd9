"""Tests of where foreign code runs."""
