"""Reads the hosts' transcripts as they grow, and puts on record what was used."""
