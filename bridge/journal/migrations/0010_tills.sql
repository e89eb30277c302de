-- What tills that are not ours tell (bridge/pos): their queues, number by number, and which check of ours each of theirs is.
CREATE TABLE tills (
	till    TEXT    NOT NULL PRIMARY KEY,
	last    INTEGER NOT NULL, -- the last number on disk
	version TEXT    NOT NULL,
	seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE till_messages (
	till        TEXT    NOT NULL,
	seq         INTEGER NOT NULL,
	state       TEXT    NOT NULL, -- waiting, done, refused
	received_at INTEGER NOT NULL,
	content     BLOB    NOT NULL,
	cause       TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (till, seq)
) WITHOUT ROWID;
CREATE INDEX till_messages_waiting ON till_messages (till, seq) WHERE state = 'waiting';
CREATE TABLE till_checks (
	number   TEXT NOT NULL PRIMARY KEY, -- the till's
	check_id BLOB NOT NULL
) WITHOUT ROWID;
