-- What agents have done, by the day they were last heard of: the rows of `agent_runs`, added up.
-- `counted` says whether a run is in it.
ALTER TABLE agent_runs ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX agent_runs_uncounted ON agent_runs (session, agent_id) WHERE counted = 0;

CREATE TABLE agent_days (
    day         INTEGER NOT NULL,
    repository  TEXT NOT NULL,
    agent       TEXT NOT NULL,
    model       TEXT NOT NULL,
    role        TEXT NOT NULL,
    runs        INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    allowed     INTEGER NOT NULL,
    denied      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (day, repository, agent, model, role)
) STRICT, WITHOUT ROWID;

-- Which numbers the events of an hour have: a time is found among them without a look at each. The
-- clock may go back, so the hours may overlap.
CREATE TABLE hour_seqs (
    hour      INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL
) STRICT;

-- What each hook has decided, by day: a row only where it had something to say.
CREATE TABLE hook_decisions (
    day      INTEGER NOT NULL,
    hook     TEXT NOT NULL,
    event    TEXT NOT NULL,
    decision TEXT NOT NULL,
    runs     INTEGER NOT NULL,
    PRIMARY KEY (day, hook, event, decision)
) STRICT, WITHOUT ROWID;

-- What of the rows that are on record already is still to be counted, piece by piece
-- (store/recount.py): the numbers from `next_seq` to `last_seq`.
CREATE TABLE recounts (
    what     TEXT PRIMARY KEY,
    next_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO recounts SELECT 'calls', first, last
FROM (SELECT min(seq) AS first, max(seq) AS last FROM events) e WHERE last IS NOT NULL;
