"""Read, check, merge and explain settings, contracts and trust."""
