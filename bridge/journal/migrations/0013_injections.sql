-- Orders on their way to a till that is not ours (bridge/pos). key is that of the order. Times are microseconds since 1970 UTC.
CREATE TABLE injections (
	key        INTEGER PRIMARY KEY,
	id         BLOB    NOT NULL, -- of the order
	reference  TEXT    NOT NULL, -- the order's name at the till, chosen before the first attempt
	generation INTEGER NOT NULL, -- how many references were used up before it
	lane       TEXT    NOT NULL, -- orders of one lane go one after the other; empty: on its own
	state      TEXT    NOT NULL, -- waiting, sending, unknown, done, failed, withdrawn
	open       INTEGER NOT NULL, -- 1 in the first three
	withdrawn  INTEGER NOT NULL, -- nothing is sent any more; it is only found out what became of what was
	attempts   INTEGER NOT NULL,
	sends      INTEGER NOT NULL, -- how often it left, or may have
	blind      INTEGER NOT NULL, -- how often of these nobody knew whether it was there
	spent      INTEGER NOT NULL, -- the till refused the reference for good
	created_at INTEGER NOT NULL,
	sent_at    INTEGER NOT NULL,
	next_at    INTEGER NOT NULL,
	give_up_at INTEGER NOT NULL,
	settled_at INTEGER NOT NULL,
	cause      TEXT    NOT NULL,
	detail     TEXT    NOT NULL,
	till_id    TEXT    NOT NULL,
	content    BLOB    NOT NULL  -- what is handed over, JSON; empty once it is there
);
CREATE INDEX injections_open ON injections (next_at) WHERE open = 1;
CREATE INDEX injections_lane ON injections (lane, key) WHERE open = 1 AND lane <> '';
CREATE INDEX injections_reference ON injections (reference);
