"""The detectors: what is found wrong with a run while it goes on."""
