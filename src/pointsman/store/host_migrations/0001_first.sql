-- What a host's own telemetry says of its sessions, added up; nothing of what was said in them.
CREATE TABLE host_sessions (
    session               TEXT PRIMARY KEY,
    first_ns              INTEGER NOT NULL,
    last_ns               INTEGER NOT NULL,
    records               INTEGER NOT NULL,
    points                INTEGER NOT NULL,
    spans                 INTEGER NOT NULL,
    prompts               INTEGER NOT NULL,
    tool_results          INTEGER NOT NULL,
    tool_failures         INTEGER NOT NULL,
    tool_accepted         INTEGER NOT NULL,
    tool_rejected         INTEGER NOT NULL,
    hooks_run             INTEGER NOT NULL,
    hooks_blocked         INTEGER NOT NULL,
    hooks_failed          INTEGER NOT NULL,
    hooks_cancelled       INTEGER NOT NULL,
    guards_cancelled      INTEGER NOT NULL,
    api_requests          INTEGER NOT NULL,
    api_errors            INTEGER NOT NULL,
    input_tokens          INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_creation_tokens INTEGER NOT NULL,
    cost_micros           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX host_sessions_by_time ON host_sessions (last_ns);

CREATE TABLE host_calls (
    session  TEXT NOT NULL,
    call     TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    tool     TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    ended    INTEGER NOT NULL,
    PRIMARY KEY (session, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_calls_by_time ON host_calls (at_ns);
