-- How an order stands in a POS that is not the built-in one (bridge/order). An order that the built-in POS has needs no row.
CREATE TABLE order_pos (
	order_key    INTEGER PRIMARY KEY,
	state        TEXT    NOT NULL, -- queued failing failed done manual
	cause        TEXT    NOT NULL, -- a word of spec/delivery.md 5.6
	detail       TEXT    NOT NULL, -- the same for people
	attempts     INTEGER NOT NULL,
	next_at      INTEGER NOT NULL,
	pos_id       TEXT    NOT NULL, -- the POS's own id of the order
	pos_total    INTEGER NOT NULL, -- what the POS makes of it, minor units; -1: not told
	open_items   INTEGER NOT NULL, -- it went in with items that the POS does not know
	stale        INTEGER NOT NULL, -- it was changed after the POS got it
	void_pending INTEGER NOT NULL  -- it was cancelled, and somebody has to void it in the POS
);
CREATE INDEX order_pos_void ON order_pos (order_key) WHERE void_pending = 1;
CREATE INDEX orders_not_in_pos ON orders (in_pos) WHERE in_pos IN ('no', 'pending');
