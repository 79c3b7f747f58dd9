"""Where each host declares its MCP servers: one file a host."""
