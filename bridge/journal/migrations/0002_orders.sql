-- Orders, their kitchen tickets and the print jobs of those (bridge/order, bridge/kitchen).
-- key is the number inside the row's id (journal.ID.Key): it rises with time, so that new rows share pages.
-- Times are microseconds since 1970 UTC; 0 means not yet.

CREATE TABLE orders (
	key             INTEGER PRIMARY KEY,
	id              BLOB    NOT NULL,
	source          TEXT    NOT NULL,
	source_order_id TEXT    NOT NULL,
	number          INTEGER NOT NULL,
	business_day    TEXT    NOT NULL,
	version         INTEGER NOT NULL,
	state           TEXT    NOT NULL,
	in_pos          TEXT    NOT NULL,
	received_at     INTEGER NOT NULL,
	committed_at    INTEGER NOT NULL,
	release_at      INTEGER NOT NULL,
	posted          BLOB    NOT NULL, -- digest of the first POST, by which a repeated one is known
	content         BLOB    NOT NULL, -- the order of the latest version, canonical JSON
	log             TEXT    NOT NULL  -- a line a step: time, event, who, detail
);
CREATE UNIQUE INDEX orders_source ON orders (source, source_order_id);
CREATE INDEX orders_scheduled ON orders (release_at) WHERE state = 'scheduled';

CREATE TABLE tickets (
	key        INTEGER PRIMARY KEY,
	id         BLOB    NOT NULL,
	order_key  INTEGER NOT NULL,
	parent     INTEGER NOT NULL, -- the ticket a change or cancellation speaks of; 0 for an order's own
	station    TEXT    NOT NULL,
	kind       TEXT    NOT NULL,
	state      TEXT    NOT NULL,
	before     TEXT    NOT NULL, -- the state Undo goes back to
	unseen     INTEGER NOT NULL,
	version    INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	bumped_at  INTEGER NOT NULL,
	bumped_by  TEXT    NOT NULL,
	painted_at INTEGER NOT NULL,
	content    BLOB    NOT NULL, -- what stands on it, JSON
	log        TEXT    NOT NULL
);
CREATE INDEX tickets_order ON tickets (order_key);

CREATE TABLE jobs (
	key        INTEGER PRIMARY KEY,
	id         BLOB    NOT NULL,
	ticket_key INTEGER NOT NULL, -- 0 for a test page
	printer    TEXT    NOT NULL,
	state      TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	evidence   TEXT    NOT NULL,
	attempt    INTEGER NOT NULL,
	sequence   INTEGER NOT NULL,
	banner     INTEGER NOT NULL, -- the latest attempt carries the REPRINT banner
	redo       INTEGER NOT NULL, -- another copy on purpose: the banner stands on it in any case
	settled    INTEGER NOT NULL, -- nothing more happens to it by itself
	replaces   INTEGER NOT NULL, -- the job on another printer this one took over
	first_sent INTEGER NOT NULL,
	held_at    INTEGER NOT NULL,
	body       BLOB    NOT NULL, -- the ticket as rendered, without its envelope
	log        TEXT    NOT NULL
);
CREATE INDEX jobs_ticket ON jobs (ticket_key);
CREATE INDEX jobs_open ON jobs (printer, key) WHERE settled = 0;
