-- What each agent of a session has done; `agent_id` is '' for the main thread. `model` and `role`
-- are those of its newest message with usage. `ended_seq` is the event that said that it was over.
CREATE TABLE agent_runs (
    session     TEXT NOT NULL,
    agent_id    TEXT NOT NULL,
    agent_type  TEXT NOT NULL,
    parent      TEXT NOT NULL,
    repository  TEXT NOT NULL,
    model       TEXT NOT NULL,
    role        TEXT NOT NULL,
    first_ns    INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    ended_seq   INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    allowed     INTEGER NOT NULL,
    denied      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (session, agent_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_runs_by_time ON agent_runs (last_ns);

-- How long answers took: a histogram by hour. What is derived from an event had no answer.
CREATE TABLE answer_hours (
    hour        INTEGER NOT NULL,
    bucket      INTEGER NOT NULL,
    answers     INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (hour, bucket)
) STRICT, WITHOUT ROWID;

-- What is on record already. `length_bucket` is a function of ours, given by the connection.
INSERT INTO agent_runs
SELECT e.session, coalesce(e.agent_id, ''), coalesce(max(e.agent_type), ''),
    coalesce(max(e.parent), ''), coalesce(max(e.repository), ''),
    coalesce((SELECT u.model FROM usage u WHERE u.session = e.session
        AND coalesce(u.agent_id, '') = coalesce(e.agent_id, '') ORDER BY u.n DESC LIMIT 1), ''),
    coalesce((SELECT u.role FROM usage u WHERE u.session = e.session
        AND coalesce(u.agent_id, '') = coalesce(e.agent_id, '') ORDER BY u.n DESC LIMIT 1), ''),
    min(e.received_ns), max(e.received_ns),
    max(CASE WHEN e.event IN ('SessionEnd', 'SubagentStop') THEN e.seq ELSE 0 END),
    count(*), sum(e.event = 'PreToolUse'), sum(e.decision = 'allow'), sum(e.decision = 'deny'),
    sum(e.decision = 'ask'), sum(e.decision = 'modify'),
    sum(e.event IN ('PostToolUseFailure', 'StopFailure')), sum(e.duration_ns)
FROM events e WHERE e.session <> '' GROUP BY e.session, coalesce(e.agent_id, '');

INSERT INTO answer_hours
SELECT received_ns / 3600000000000, length_bucket(duration_ns), count(*), sum(duration_ns)
FROM events WHERE derived_from IS NULL GROUP BY 1, 2;
