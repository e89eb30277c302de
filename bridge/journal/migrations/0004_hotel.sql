-- Checks of the built-in floor (bridge/floor), and what the hotel is told: postings, revenue, guests (bridge/folio).
-- key is the number inside the row's id (journal.ID.Key). Times are microseconds since 1970 UTC; 0 means not yet.
-- Amounts are minor units.

CREATE TABLE checks (
	key          INTEGER PRIMARY KEY,
	id           BLOB    NOT NULL,
	number       INTEGER NOT NULL, -- 1-99999999, what the hotel sees as C#
	business_day TEXT    NOT NULL,
	state        TEXT    NOT NULL, -- open, closed
	version      INTEGER NOT NULL,
	opened_at    INTEGER NOT NULL,
	closed_at    INTEGER NOT NULL,
	content      BLOB    NOT NULL  -- tables, covers, lines, payments, JSON
);
CREATE INDEX checks_open ON checks (key) WHERE state = 'open';

-- What happened at a check, in order. A check is the sum of its events.
CREATE TABLE check_events (
	key       INTEGER PRIMARY KEY,
	check_key INTEGER NOT NULL,
	at        INTEGER NOT NULL,
	kind      TEXT    NOT NULL,
	by        TEXT    NOT NULL,
	payload   BLOB    NOT NULL
);
CREATE INDEX check_events_check ON check_events (check_key);

-- Everything the hotel was or will be asked to book. See bridge/folio for the states.
CREATE TABLE postings (
	key          INTEGER PRIMARY KEY,
	id           BLOB    NOT NULL,
	kind         TEXT    NOT NULL, -- charge, void, refund, tender, revenue
	state        TEXT    NOT NULL,
	reason       TEXT    NOT NULL, -- why it was refused
	watch        INTEGER NOT NULL, -- 1 until it is ended, 2 when a person said how it ended, 0 for the rest
	queue        INTEGER NOT NULL, -- waits for the link instead of being refused
	number       INTEGER NOT NULL, -- P# of the latest sending; 0: never sent
	attempts     INTEGER NOT NULL,
	next_at      INTEGER NOT NULL, -- a queued one is not tried before
	original     INTEGER NOT NULL, -- key of what a void or refund reverses; 0 for others
	sale         TEXT    NOT NULL, -- the sale it carries a part of; '' for none
	outlet       TEXT    NOT NULL,
	check_number TEXT    NOT NULL,
	business_day TEXT    NOT NULL,
	stamp        INTEGER NOT NULL, -- the DA and TI that all parts of one check share
	amount       INTEGER NOT NULL,
	received_at  INTEGER NOT NULL,
	sent_at      INTEGER NOT NULL,
	settled_at   INTEGER NOT NULL,
	answer       TEXT    NOT NULL, -- the hotel's status and its words
	answer_text  TEXT    NOT NULL,
	resolution   BLOB,             -- who ended an unknown one, JSON
	content      BLOB    NOT NULL, -- what was asked for, JSON
	log          TEXT    NOT NULL
);
-- The few that a late answer may be for, and all that are under way: found by this alone, so that the steps of a posting
-- touch as few pages as they can.
CREATE INDEX postings_watch ON postings (key) WHERE watch > 0;
CREATE INDEX postings_check ON postings (check_number, outlet, business_day);
CREATE INDEX postings_original ON postings (original) WHERE original > 0;
CREATE INDEX postings_sale ON postings (sale) WHERE sale <> '';

-- P#: numbers up to this one are given out or set aside.
CREATE TABLE posting_numbers (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	reserved INTEGER NOT NULL
);
INSERT INTO posting_numbers (one, reserved) VALUES (1, 0);

-- Sales as they were closed, each version of one replacing the former.
CREATE TABLE sales (
	sale    TEXT PRIMARY KEY,
	at      INTEGER NOT NULL,
	content BLOB    NOT NULL
) WITHOUT ROWID;

-- What of the sales no posting carries. batch is 0 until a batch takes the row, and then never changes.
CREATE TABLE revenue (
	key          INTEGER PRIMARY KEY,
	sale         TEXT    NOT NULL,
	outlet       TEXT    NOT NULL,
	pos_config   TEXT    NOT NULL,
	floor_plan   TEXT    NOT NULL,
	part         TEXT    NOT NULL, -- subtotal, tax, discount, service_charge
	grp          TEXT    NOT NULL,
	period       INTEGER NOT NULL, -- 1-4, the service period of the sale
	sold_at      INTEGER NOT NULL,
	amount       INTEGER NOT NULL,
	batch        INTEGER NOT NULL
);
CREATE INDEX revenue_waiting ON revenue (sold_at) WHERE batch = 0;
CREATE INDEX revenue_sale ON revenue (sale);
CREATE INDEX revenue_batch ON revenue (batch) WHERE batch > 0;

CREATE TABLE batches (
	key          INTEGER PRIMARY KEY,
	id           BLOB    NOT NULL,
	number       INTEGER NOT NULL, -- counts batches; the hotel sees it as check number
	slot_at      INTEGER NOT NULL, -- the end of the half hour it is of
	business_day TEXT    NOT NULL,
	outlet       TEXT    NOT NULL,
	period       INTEGER NOT NULL,
	total        INTEGER NOT NULL,
	posting      INTEGER NOT NULL  -- key of the latest posting that carries it; 0: it sums to nothing
);
CREATE UNIQUE INDEX batches_number ON batches (number);

CREATE TABLE revenue_clock (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	slot_at INTEGER NOT NULL -- batches are made up to here
);
INSERT INTO revenue_clock (one, slot_at) VALUES (1, 0);

-- Guests as last heard of, for display and to find the room of a reservation; never enough to post by.
CREATE TABLE guests (
	room        TEXT    NOT NULL,
	reservation TEXT    NOT NULL,
	name        TEXT    NOT NULL,
	content     BLOB    NOT NULL, -- JSON
	seen_at     INTEGER NOT NULL,
	PRIMARY KEY (room, reservation)
) WITHOUT ROWID;
CREATE INDEX guests_reservation ON guests (reservation);
