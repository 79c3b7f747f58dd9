-- What the pages ask for, counted while it is written: one narrow count per dimension and hour.
-- `value` is what the dimension has there: the tool, the agent's type, the repository …
CREATE TABLE event_hours (
    dimension   TEXT NOT NULL,
    value       TEXT NOT NULL,
    hour        INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    allowed     INTEGER NOT NULL,
    denied      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (dimension, hour, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    session     TEXT PRIMARY KEY,
    host        TEXT NOT NULL,
    repository  TEXT NOT NULL,
    first_ns    INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    allowed     INTEGER NOT NULL,
    denied      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_time ON sessions (last_ns);

-- A histogram of each hook's runs, by day: `bucket` is that of their length (store/rollups.py).
CREATE TABLE hook_days (
    day         INTEGER NOT NULL,
    hook        TEXT NOT NULL,
    event       TEXT NOT NULL,
    role        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    budget_ms   INTEGER NOT NULL,
    bucket      INTEGER NOT NULL,
    runs        INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (day, hook, event, role, outcome, budget_ms, bucket)
) STRICT, WITHOUT ROWID;

-- What is on record already. `length_bucket` is a function of ours, given by the connection.
INSERT INTO event_hours
SELECT d.dimension, d.value, e.received_ns / 3600000000000, count(*),
    sum(e.event = 'PreToolUse'), sum(e.decision = 'allow'), sum(e.decision = 'deny'),
    sum(e.decision = 'ask'), sum(e.decision = 'modify'),
    sum(e.event IN ('PostToolUseFailure', 'StopFailure')), sum(e.duration_ns)
FROM events e JOIN (
    SELECT seq, 'all' AS dimension, '' AS value FROM events
    UNION ALL SELECT seq, 'host', host FROM events WHERE host <> ''
    UNION ALL SELECT seq, 'event', event FROM events WHERE event <> ''
    UNION ALL SELECT seq, 'tool', tool FROM events WHERE tool <> ''
    UNION ALL SELECT seq, 'agent',
        coalesce(nullif(agent_type, ''),
            CASE WHEN agent_id IS NULL THEN 'main' ELSE '(unnamed)' END) FROM events
    UNION ALL SELECT seq, 'repository', repository FROM events WHERE repository <> ''
    UNION ALL SELECT seq, 'rule', rule FROM events WHERE rule <> ''
) d ON d.seq = e.seq
GROUP BY 1, 2, 3;

INSERT INTO sessions
SELECT session, max(host), coalesce(max(repository), ''), min(received_ns), max(received_ns),
    max(seq), count(*), sum(event = 'PreToolUse'), sum(decision = 'allow'), sum(decision = 'deny'),
    sum(decision = 'ask'), sum(decision = 'modify'),
    sum(event IN ('PostToolUseFailure', 'StopFailure')), sum(duration_ns)
FROM events WHERE session <> '' GROUP BY session;

INSERT INTO hook_days
SELECT started_ns / 86400000000000, hook, event, role, outcome, budget_ms,
    length_bucket(duration_ns), count(*), sum(duration_ns)
FROM hook_runs GROUP BY 1, 2, 3, 4, 5, 6, 7;
