-- Usage is kept for as long as its own setting says. What goes is added up by model: a counter never
-- goes down.
CREATE TABLE usage_given_back (
    model                 TEXT PRIMARY KEY,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    usd_nano              INTEGER NOT NULL,
    unpriced              INTEGER NOT NULL,
    calls                 INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

DROP TRIGGER usage_kept;
DROP TRIGGER usage_tools_kept;
CREATE TRIGGER usage_kept BEFORE DELETE ON usage
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER usage_tools_kept BEFORE DELETE ON usage_tools
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
