-- One row for each thing on record, in the order in which it was recorded: `digest` is of what it
-- says, `hash` of that and of everything before it (docs/ledger.md says of which bytes).
CREATE TABLE chain (
    n      INTEGER PRIMARY KEY,
    kind   INTEGER NOT NULL,
    ref    INTEGER NOT NULL,
    low    INTEGER NOT NULL,
    high   INTEGER NOT NULL,
    digest BLOB NOT NULL,
    hash   BLOB NOT NULL,
    salt   BLOB
) STRICT;

-- What the record does to itself: it began, took up older rows, removed what retention says.
-- `n` is that of its entry in the chain.
CREATE TABLE acts (
    n    INTEGER PRIMARY KEY,
    ns   INTEGER NOT NULL,
    what TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

-- Of a body that was purged or redacted: the digest that it had, and what it has now.
CREATE TABLE gone (
    seq    INTEGER PRIMARY KEY,
    act    INTEGER NOT NULL,
    digest BLOB NOT NULL,
    salt   BLOB,
    kept   BLOB
) STRICT;

CREATE TABLE checkpoints (
    seq       INTEGER PRIMARY KEY,
    log       TEXT NOT NULL,
    tree_size INTEGER NOT NULL,
    root      BLOB NOT NULL,
    previous  BLOB NOT NULL,
    ns        INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    key       BLOB NOT NULL,
    signature BLOB NOT NULL,
    frontier  BLOB NOT NULL
) STRICT;

CREATE TRIGGER chain_append_only BEFORE UPDATE ON chain
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER chain_kept BEFORE DELETE ON chain
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER acts_append_only BEFORE UPDATE ON acts
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER acts_kept BEFORE DELETE ON acts
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER gone_append_only BEFORE UPDATE ON gone
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER gone_kept BEFORE DELETE ON gone
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER checkpoints_kept BEFORE DELETE ON checkpoints
WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
