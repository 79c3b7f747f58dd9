-- One row per event, with the decision it got. `seq` is the order: the clock may go back.
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY,
    received_ns     INTEGER NOT NULL,
    host            TEXT NOT NULL,
    event           TEXT NOT NULL,
    session         TEXT NOT NULL,
    agent_id        TEXT,
    agent_type      TEXT,
    parent          TEXT,
    prompt_id       TEXT,
    tool_use_id     TEXT,
    tool            TEXT NOT NULL,
    path            TEXT NOT NULL,
    cwd             TEXT NOT NULL,
    repository      TEXT,
    permission_mode TEXT NOT NULL,
    decision        TEXT NOT NULL,
    rule            TEXT NOT NULL,
    reason          TEXT NOT NULL,
    hook            TEXT NOT NULL,
    cause           TEXT,
    context         TEXT NOT NULL,
    duration_ns     INTEGER NOT NULL,
    exit_code       INTEGER NOT NULL,
    transport       TEXT NOT NULL,
    client          TEXT NOT NULL,
    client_version  TEXT NOT NULL,
    problems        TEXT,
    derived_from    INTEGER
) STRICT;

-- The bytes, apart from the rest: they can be purged and the record still stands.
CREATE TABLE bodies (
    seq     INTEGER PRIMARY KEY,
    payload BLOB NOT NULL,
    stdout  BLOB NOT NULL,
    stderr  BLOB NOT NULL
) STRICT;

CREATE TABLE hook_runs (
    seq         INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    hook        TEXT NOT NULL,
    role        TEXT NOT NULL,
    event       TEXT NOT NULL,
    started_ns  INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    budget_ms   INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    decision    TEXT NOT NULL,
    rule        TEXT NOT NULL,
    lines       TEXT,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

-- What the daemon has to say of itself.
CREATE TABLE notes (
    n    INTEGER PRIMARY KEY,
    ns   INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

-- Holds a row only while retention deletes what is older than its limit.
CREATE TABLE retention_gate (open INTEGER PRIMARY KEY) STRICT;

CREATE INDEX events_by_session ON events (session);
CREATE INDEX events_by_time ON events (received_ns);

CREATE TRIGGER events_append_only BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER bodies_append_only BEFORE UPDATE ON bodies
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER hook_runs_append_only BEFORE UPDATE ON hook_runs
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER notes_append_only BEFORE UPDATE ON notes
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER events_kept BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER bodies_kept BEFORE DELETE ON bodies
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER hook_runs_kept BEFORE DELETE ON hook_runs
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER notes_kept BEFORE DELETE ON notes
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
