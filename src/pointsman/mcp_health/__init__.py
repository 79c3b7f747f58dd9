"""How MCP servers fare: where hosts declare them, what a probe says, whether their calls pass."""
