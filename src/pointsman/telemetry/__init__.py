"""What goes out to observability systems, and what comes in from a host: formats and sinks."""
