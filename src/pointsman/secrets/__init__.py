"""Secrets: found in texts, covered in everything that is kept or shown."""
