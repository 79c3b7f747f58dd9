"""A session's hand-off: from what is on record and its own last words to a brief for the next."""
