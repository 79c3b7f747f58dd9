"""The ledger: schema, migrations, append, query."""
