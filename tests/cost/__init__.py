"""Tests of prices and postings."""
