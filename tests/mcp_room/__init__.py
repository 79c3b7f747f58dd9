"""What an agent asks about itself."""
