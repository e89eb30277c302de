-- Browser sessions and paired screens (bridge/access). Only hashes of what browsers hold are here.
-- Times are microseconds since 1970 UTC.

CREATE TABLE pairings (
	key       INTEGER PRIMARY KEY,
	id        BLOB    NOT NULL,
	screen    TEXT    NOT NULL,
	label     TEXT    NOT NULL, -- what the browser called itself when it asked
	paired_by TEXT    NOT NULL,
	paired_at INTEGER NOT NULL
);

CREATE TABLE sessions (
	hash      BLOB    PRIMARY KEY, -- SHA-256 of the cookie's value
	name      TEXT    NOT NULL,
	role      TEXT    NOT NULL,
	screen    TEXT    NOT NULL,
	token     BLOB    NOT NULL, -- hash of the token it was opened with; empty for a paired screen
	pairing   INTEGER NOT NULL, -- pairings.key; 0 for a person
	created   INTEGER NOT NULL,
	last_seen INTEGER NOT NULL
) WITHOUT ROWID;
