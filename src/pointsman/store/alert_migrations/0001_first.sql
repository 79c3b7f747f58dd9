-- One row per alert, as it is now; each change of its state is also a row of `changes`.
CREATE TABLE alerts (
    number     INTEGER PRIMARY KEY,
    state      TEXT NOT NULL,
    severity   TEXT NOT NULL,
    detector   TEXT NOT NULL,
    key        TEXT NOT NULL,
    summary    TEXT NOT NULL,
    host       TEXT NOT NULL,
    session    TEXT NOT NULL,
    agent_id   TEXT,
    agent_type TEXT,
    repository TEXT,
    lasting    INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    level      INTEGER NOT NULL,
    opened_ns  INTEGER NOT NULL,
    seen_ns    INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    told_ns    INTEGER NOT NULL,
    by         TEXT NOT NULL,
    seqs       TEXT NOT NULL,
    figures    TEXT NOT NULL
) STRICT;

-- Never two that are open about the same: whoever tries has a fault of ours.
CREATE UNIQUE INDEX alerts_open ON alerts (detector, key, ifnull(agent_id, ''), session)
    WHERE state IN ('warning', 'critical', 'escalated', 'acknowledged');
CREATE INDEX alerts_by_state ON alerts (state, number);
CREATE INDEX alerts_by_session ON alerts (session);

-- What happened, in order; `n` never goes back, and `noted` is set once it stands on the ledger.
CREATE TABLE changes (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    ns     INTEGER NOT NULL,
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    by     TEXT NOT NULL,
    text   TEXT NOT NULL,
    noted  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX changes_of ON changes (number, n);
CREATE INDEX changes_to_note ON changes (n) WHERE noted = 0;

-- Whom a person has stopped; no agent is the whole session.
CREATE TABLE holds (
    session  TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    by       TEXT NOT NULL,
    reason   TEXT NOT NULL,
    ns       INTEGER NOT NULL,
    alert    INTEGER NOT NULL,
    PRIMARY KEY (session, agent_id)
) STRICT, WITHOUT ROWID;

-- Who was stopped and let go on, in order; `noted` once it stands on the ledger.
CREATE TABLE hold_changes (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    ns       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    session  TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    by       TEXT NOT NULL,
    reason   TEXT NOT NULL,
    alert    INTEGER NOT NULL,
    noted    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is still to be told to whom.
CREATE TABLE outbox (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    sink    TEXT NOT NULL,
    change  INTEGER NOT NULL,
    body    TEXT NOT NULL,
    quiet   INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    made_ns INTEGER NOT NULL,
    next_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_of ON outbox (sink, n);

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
