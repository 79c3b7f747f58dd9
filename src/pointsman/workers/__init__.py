"""Where foreign code runs: in a process group of its own that can be killed."""
