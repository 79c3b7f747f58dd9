-- What messages of models have used: postings that add up, as in a ledger of money. Of one message
-- there may be several: it has grown, or belongs elsewhere, or has got a price. Their sum counts.
CREATE TABLE usage (
    n                     INTEGER PRIMARY KEY,
    recorded_ns           INTEGER NOT NULL,
    key                   TEXT NOT NULL,
    host                  TEXT NOT NULL,
    message               TEXT NOT NULL,
    request               TEXT NOT NULL,
    at_ns                 INTEGER NOT NULL,
    session               TEXT NOT NULL,
    agent_id              TEXT,
    agent_type            TEXT,
    role                  TEXT NOT NULL,
    task                  TEXT NOT NULL,
    repository            TEXT,
    branch                TEXT NOT NULL,
    model                 TEXT NOT NULL,
    speed                 TEXT NOT NULL,
    final                 INTEGER NOT NULL,
    web_searches          INTEGER NOT NULL,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    usd_nano              INTEGER NOT NULL,
    unpriced              INTEGER NOT NULL,
    calls                 INTEGER NOT NULL,
    prices                TEXT NOT NULL
) STRICT;
CREATE INDEX usage_by_key ON usage (key);
CREATE INDEX usage_by_message ON usage (message, session);
CREATE INDEX usage_by_session ON usage (session);
CREATE INDEX usage_by_time ON usage (at_ns);
CREATE INDEX usage_by_agent ON usage (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX usage_unpriced ON usage (key, unpriced) WHERE unpriced <> 0;

-- The tool calls that a message asked for.
CREATE TABLE usage_tools (
    key  TEXT NOT NULL,
    call TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (key, call)
) STRICT, WITHOUT ROWID;

-- The sums of `usage` by hour, one narrow set per dimension: kept in the transaction that adds to
-- it, so that a question needs no scan. `hour` counts from the epoch.
CREATE TABLE usage_hours (
    dimension             TEXT NOT NULL,
    hour                  INTEGER NOT NULL,
    repository            TEXT NOT NULL,
    value                 TEXT NOT NULL,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    usd_nano              INTEGER NOT NULL,
    unpriced              INTEGER NOT NULL,
    calls                 INTEGER NOT NULL,
    PRIMARY KEY (dimension, hour, repository, value)
) STRICT, WITHOUT ROWID;

-- How far each transcript has been read; no record, but where to go on.
CREATE TABLE transcripts (
    path     TEXT PRIMARY KEY,
    host     TEXT NOT NULL,
    seen_ns  INTEGER NOT NULL,
    position TEXT NOT NULL,
    thread   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the host itself says that a session has used, by its own prices: the newest word counts.
CREATE TABLE usage_host (
    host                  TEXT NOT NULL,
    session               TEXT NOT NULL,
    model                 TEXT NOT NULL,
    usd_nano              INTEGER NOT NULL,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    PRIMARY KEY (host, session, model)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER usage_append_only BEFORE UPDATE ON usage
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER usage_kept BEFORE DELETE ON usage
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER usage_tools_append_only BEFORE UPDATE ON usage_tools
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER usage_tools_kept BEFORE DELETE ON usage_tools
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
