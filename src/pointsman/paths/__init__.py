"""Where a path really leads, and which globs it matches."""
