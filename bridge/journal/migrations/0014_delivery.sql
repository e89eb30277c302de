-- What delivery aggregators say and are told (bridge/delivery). Times are microseconds since 1970 UTC; 0 means none.

-- Each event once. The message itself is kept for support, for some weeks.
CREATE TABLE delivery_events (
	key        INTEGER PRIMARY KEY,
	aggregator TEXT    NOT NULL,
	event      TEXT    NOT NULL, -- its id
	type       TEXT    NOT NULL, -- as on the wire
	at         INTEGER NOT NULL,
	order_key  INTEGER NOT NULL, -- 0: of none
	note       TEXT    NOT NULL, -- what became of it, when it is not plain
	raw        BLOB    NOT NULL
);
CREATE UNIQUE INDEX delivery_events_id ON delivery_events (aggregator, event);

-- What an aggregator's order has besides what every order has.
CREATE TABLE delivery_orders (
	order_key  INTEGER PRIMARY KEY,
	order_id   BLOB    NOT NULL,
	slug       TEXT    NOT NULL,
	partner_id TEXT    NOT NULL,
	aggregator TEXT    NOT NULL,
	event      TEXT    NOT NULL, -- the id of the event that brought it; "": the feed did
	status     TEXT    NOT NULL, -- as the aggregator knows it
	updated_at INTEGER NOT NULL, -- the time of the latest event that said how it is
	accept_by  INTEGER NOT NULL, -- of one that waits to be accepted
	other      TEXT    NOT NULL, -- another aggregator that sent it too
	content    BLOB    NOT NULL  -- channel.Order, JSON
);
CREATE UNIQUE INDEX delivery_orders_id ON delivery_orders (partner_id, slug);
CREATE INDEX delivery_orders_accept ON delivery_orders (accept_by) WHERE accept_by > 0;

-- Orders that another system cooks, while this box only watches.
CREATE TABLE delivery_observed (
	key        INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,
	aggregator TEXT    NOT NULL,
	slug       TEXT    NOT NULL,
	partner_id TEXT    NOT NULL,
	status     TEXT    NOT NULL,
	unlinked   TEXT    NOT NULL, -- names that the POS does not know, a line each
	content    BLOB    NOT NULL
);
CREATE UNIQUE INDEX delivery_observed_id ON delivery_observed (partner_id, slug);

-- Cancellations that came before their order.
CREATE TABLE delivery_cancels (
	partner_id TEXT    NOT NULL,
	slug       TEXT    NOT NULL, -- "": its event did not say
	at         INTEGER NOT NULL,
	reason     TEXT    NOT NULL,
	PRIMARY KEY (partner_id, slug)
) WITHOUT ROWID;

-- What aggregators are told.
CREATE TABLE delivery_calls (
	key        INTEGER PRIMARY KEY,
	aggregator TEXT    NOT NULL,
	order_key  INTEGER NOT NULL, -- 0: of no order
	class      INTEGER NOT NULL, -- 0 goes before 1 before 2
	kind       TEXT    NOT NULL,
	state      TEXT    NOT NULL, -- waiting sent superseded skipped failed expired
	attempts   INTEGER NOT NULL,
	next_at    INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	cause      TEXT    NOT NULL,
	content    BLOB    NOT NULL
);
CREATE INDEX delivery_calls_waiting ON delivery_calls (aggregator, class, key) WHERE state = 'waiting';
CREATE INDEX delivery_calls_order ON delivery_calls (order_key, key) WHERE order_key <> 0;
