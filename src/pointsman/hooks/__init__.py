"""One file per policy we ship."""
