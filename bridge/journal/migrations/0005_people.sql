-- People who sign in with a PIN on a shared screen (bridge/access). Times are microseconds since 1970 UTC; 0 means never.

CREATE TABLE people (
	key          INTEGER PRIMARY KEY,
	id           BLOB    NOT NULL,
	name         TEXT    NOT NULL COLLATE NOCASE,
	role         TEXT    NOT NULL, -- staff, manager
	pin          TEXT    NOT NULL, -- slow salted hash, as bridge/access writes it
	pin_set_at   INTEGER NOT NULL,
	made_by      TEXT    NOT NULL,
	made_at      INTEGER NOT NULL,
	last_seen    INTEGER NOT NULL,
	tries        INTEGER NOT NULL, -- PINs tried since the last right one, each counted before it is looked at
	locked_until INTEGER NOT NULL
);
CREATE UNIQUE INDEX people_name ON people (name);
