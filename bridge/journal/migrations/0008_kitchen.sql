-- What the kitchen does later, and what it has no more of (bridge/kitchen). Times are microseconds since 1970 UTC.

-- When held tickets are fired by themselves.
CREATE TABLE fires (
	ticket_key INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL
);
CREATE INDEX fires_at ON fires (at);

CREATE TABLE sold_out (
	sku  TEXT    PRIMARY KEY,
	name TEXT    NOT NULL,
	at   INTEGER NOT NULL,
	by   TEXT    NOT NULL
) WITHOUT ROWID;
