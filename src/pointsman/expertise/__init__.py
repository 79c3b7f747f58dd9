"""What is known of a project's parts: which parts it has, what is written of them, what is told."""
