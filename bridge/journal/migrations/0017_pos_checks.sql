-- Which check of ours each check is that a till keeps for us (bridge/pos). Times are microseconds since 1970 UTC.
CREATE TABLE pos_checks (
	till_id    TEXT    NOT NULL PRIMARY KEY,
	check_id   BLOB    NOT NULL,
	open       INTEGER NOT NULL, -- 1 while it is open at the till, as far as is known
	changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pos_checks_open ON pos_checks (changed_at) WHERE open = 1;
