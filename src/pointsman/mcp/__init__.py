"""What an agent may ask about itself (Model Context Protocol): read-only, its own session."""
