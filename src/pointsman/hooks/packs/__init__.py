"""The rules of command safety, as data: one module for each pack, listed in ``all_packs.py``."""
