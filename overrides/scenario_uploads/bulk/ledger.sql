-- The tables of the ledger of `upload_many`.

CREATE TABLE runs (id INTEGER PRIMARY KEY, started REAL NOT NULL);

-- Accounts, projects and settings, by their hash.
CREATE TABLE contexts (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);

-- A file in the state in which a run sent it, and what became of its upload.
CREATE TABLE files (
    context INTEGER NOT NULL, state BLOB NOT NULL, size INTEGER NOT NULL, part_size INTEGER NOT NULL,
    content BLOB, upload_id TEXT NOT NULL, entity_id TEXT, done INTEGER NOT NULL, run INTEGER NOT NULL,
    PRIMARY KEY (context, state)
) WITHOUT ROWID;

-- Only a file of the size of one that was sent is read for its content.
CREATE TABLE sizes (
    context INTEGER NOT NULL, size INTEGER NOT NULL, part_size INTEGER NOT NULL, run INTEGER NOT NULL,
    PRIMARY KEY (context, size, part_size)
) WITHOUT ROWID;

-- "ScUL", and the version of these tables.
PRAGMA application_id = 1399018828;
PRAGMA user_version = 1;
