"""Tests of the room that finds what a call has changed, and puts it back."""
