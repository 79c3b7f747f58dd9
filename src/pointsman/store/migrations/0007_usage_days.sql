-- The hourly sums of usage once more by day, so that a question about months goes through days.
CREATE TABLE usage_days (
    dimension             TEXT NOT NULL,
    day                   INTEGER NOT NULL,
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
    PRIMARY KEY (dimension, day, repository, value)
) STRICT, WITHOUT ROWID;

-- From the hourly sums: they are few beside the events, and grow with hours.
INSERT INTO usage_days
SELECT dimension, hour / 24, repository, value, sum(input_tokens), sum(output_tokens),
    sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
    sum(usd_nano), sum(unpriced), sum(calls)
FROM usage_hours GROUP BY dimension, hour / 24, repository, value;
