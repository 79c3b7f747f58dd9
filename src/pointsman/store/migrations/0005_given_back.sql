-- What retention has taken from the counts: with it a sum over all time never goes down, which is
-- what a counter must not do. Without the hour and the day, so it stays as small as there are names.
CREATE TABLE given_back (
    dimension   TEXT NOT NULL,
    value       TEXT NOT NULL,
    events      INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    allowed     INTEGER NOT NULL,
    denied      INTEGER NOT NULL,
    asked       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (dimension, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE given_back_runs (
    hook        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    bucket      INTEGER NOT NULL,
    runs        INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (hook, outcome, bucket)
) STRICT, WITHOUT ROWID;
