-- Which checks have lines of an order (bridge/floor): what becomes of the order later finds them there, wherever they were
-- moved, split or merged to.
CREATE TABLE check_orders (
	order_key INTEGER NOT NULL,
	check_key INTEGER NOT NULL,
	PRIMARY KEY (order_key, check_key)
) WITHOUT ROWID;
