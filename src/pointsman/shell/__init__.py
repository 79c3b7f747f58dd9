"""What a shell command does: text in, effects out."""
