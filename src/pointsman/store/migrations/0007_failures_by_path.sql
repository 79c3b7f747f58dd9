-- What went wrong with a file is asked for before each edit of it: few rows, found at once.
CREATE INDEX failures_by_path ON events (path)
WHERE path != '' AND (decision = 'deny' OR event = 'PostToolUseFailure');
