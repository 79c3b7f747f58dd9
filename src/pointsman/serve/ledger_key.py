"""Where the ledger's key is, as the user's settings say."""

from pathlib import Path

from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.places import Places
from pointsman.store.sealing import key_file


def key_path(where: Places) -> Path:
    """Return the place of the private key, whether there is one or not."""
    said = PolicyLoader(where).policy_for(None).ledger.get("key")
    return Path(said) if said else key_file(where.ledger)
