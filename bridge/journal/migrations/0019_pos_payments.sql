-- Payments taken here for checks that a till keeps, on their way to it (bridge/pos). Times are microseconds since 1970 UTC.
CREATE TABLE pos_payments (
	key        INTEGER PRIMARY KEY, -- of the payment's id
	id         BLOB    NOT NULL,
	check_id   BLOB    NOT NULL,    -- ours
	till_id    TEXT    NOT NULL,    -- the till's
	reference  TEXT    NOT NULL,
	method     TEXT    NOT NULL,    -- the till's; '' when none is configured
	amount     INTEGER NOT NULL,
	tip        INTEGER NOT NULL,
	state      TEXT    NOT NULL,    -- waiting sending unknown hand in ended
	attempts   INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	sent_at    INTEGER NOT NULL DEFAULT 0,
	next_at    INTEGER NOT NULL,
	code       TEXT    NOT NULL DEFAULT '',
	detail     TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX pos_payments_open ON pos_payments (next_at) WHERE state IN ('waiting', 'sending', 'unknown', 'hand');
