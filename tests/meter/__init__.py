"""Tests of the reader of transcripts."""
