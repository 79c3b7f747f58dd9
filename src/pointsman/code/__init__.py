"""What a repository's code says of itself: an index by syntax, and what of it is worth telling."""
