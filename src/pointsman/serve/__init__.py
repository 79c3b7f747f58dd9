"""The resident daemon: socket, protocol, life cycle."""
