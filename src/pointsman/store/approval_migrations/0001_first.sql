-- One row per question. What changes is here; every change is also a row of `transitions`.
CREATE TABLE approvals (
    id              TEXT PRIMARY KEY,
    state           TEXT NOT NULL,
    key             TEXT NOT NULL,
    host            TEXT NOT NULL,
    session         TEXT NOT NULL,
    agent           TEXT NOT NULL,
    agent_id        TEXT,
    asked_session   TEXT NOT NULL,
    repository      TEXT NOT NULL,
    cwd             TEXT NOT NULL,
    tool            TEXT NOT NULL,
    input           TEXT NOT NULL,
    cut             INTEGER NOT NULL,
    digest          TEXT NOT NULL,
    rules           TEXT NOT NULL,
    rule            TEXT NOT NULL,
    hook            TEXT NOT NULL,
    reason          TEXT NOT NULL,
    cause           TEXT NOT NULL,
    risk            TEXT NOT NULL,
    call            TEXT NOT NULL,
    host_pid        INTEGER NOT NULL,
    requests        INTEGER NOT NULL,
    wait_s          REAL NOT NULL,
    on_timeout      TEXT NOT NULL,
    valid_s         REAL NOT NULL,
    created_ns      INTEGER NOT NULL,
    wait_until_ns   INTEGER NOT NULL,
    escalated_ns    INTEGER NOT NULL DEFAULT 0,
    shown_ns        INTEGER NOT NULL DEFAULT 0,
    decided_ns      INTEGER NOT NULL DEFAULT 0,
    decided_boot_ns INTEGER NOT NULL DEFAULT 0,
    decided_boot    TEXT NOT NULL DEFAULT '',
    decided_by      TEXT NOT NULL DEFAULT '',
    note            TEXT NOT NULL DEFAULT '',
    modified        TEXT,
    used_ns         INTEGER NOT NULL DEFAULT 0,
    ran             TEXT NOT NULL DEFAULT '',
    passed          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX approvals_by_key ON approvals (key, state);
CREATE INDEX approvals_by_state ON approvals (state, created_ns);
CREATE INDEX approvals_by_call ON approvals (call);

-- What happened, in order; `noted` once it stands on the ledger, too.
CREATE TABLE transitions (
    n      INTEGER PRIMARY KEY,
    id     TEXT NOT NULL,
    ns     INTEGER NOT NULL,
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    by     TEXT NOT NULL,
    text   TEXT NOT NULL,
    noted  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX transitions_to_note ON transitions (noted, n);
