"""Conventions: read from a project's own instructions, confirmed by a person, checked by edits."""
