-- The journal's own tables (bridge/journal). Times are microseconds since 1970 UTC.

-- Facts about the file itself. The epoch is random: a cloned or newly made file is told from the one a reader knew.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('epoch', lower(hex(randomblob(16))));

-- The change feed. Its numbers have no gaps; old rows go from the front. What one transaction changed is one row: a row a
-- change would touch more pages and cost more of the order's way than the order itself.
CREATE TABLE changes (
	seq     INTEGER PRIMARY KEY, -- number of the last change in the row
	first   INTEGER NOT NULL,    -- and of the first
	at      INTEGER NOT NULL,
	entries TEXT    NOT NULL     -- [{"kind":"order","subject":"…","payload":{…}}, …]
);

-- Values that people change in the console. value is JSON; a removed setting has none and keeps its revision.
CREATE TABLE settings (
	key      TEXT    PRIMARY KEY,
	value    TEXT,
	revision INTEGER NOT NULL,
	author   TEXT    NOT NULL,
	origin   TEXT    NOT NULL CHECK (origin IN ('bundle', 'console')),
	at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE settings_history (
	key      TEXT    NOT NULL,
	revision INTEGER NOT NULL,
	value    TEXT,
	author   TEXT    NOT NULL,
	origin   TEXT    NOT NULL,
	at       INTEGER NOT NULL,
	PRIMARY KEY (key, revision)
) WITHOUT ROWID;
-- What the latest bundle said, so that the next one is compared with it and not with what people made of it.
CREATE TABLE settings_bundle (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

-- Who did what.
CREATE TABLE audit (
	number  INTEGER PRIMARY KEY,
	at      INTEGER NOT NULL,
	by      TEXT    NOT NULL,
	role    TEXT    NOT NULL,
	act     TEXT    NOT NULL,
	subject TEXT    NOT NULL,
	detail  TEXT    NOT NULL
);

-- Requests that must not be done twice. hash is of their content, subject what they made.
CREATE TABLE idempotency (
	owner   TEXT    NOT NULL,
	key     TEXT    NOT NULL,
	hash    BLOB    NOT NULL,
	subject TEXT    NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (owner, key)
) WITHOUT ROWID;
