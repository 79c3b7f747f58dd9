"""The kernel's hold on a command: what it may change, and by which mechanism."""
