-- Print jobs that are no kitchen ticket, and what printers did not do (bridge/kitchen).

ALTER TABLE jobs ADD COLUMN kind   TEXT    NOT NULL DEFAULT ''; -- '': a kitchen ticket, or a test page where ticket_key is 0; test, slip, bill, receipt
ALTER TABLE jobs ADD COLUMN label  TEXT    NOT NULL DEFAULT ''; -- what people call it, where no ticket tells
ALTER TABLE jobs ADD COLUMN paper  INTEGER NOT NULL DEFAULT 0;  -- key of the bill or receipt it prints
ALTER TABLE jobs ADD COLUMN drawer INTEGER NOT NULL DEFAULT 0;  -- pin of the cash drawer that opens after the cut
ALTER TABLE jobs ADD COLUMN buzz   INTEGER NOT NULL DEFAULT 0;  -- times the buzzer sounds after the cut

-- Times in which a printer could take no work; ended is 0 while one lasts. The oldest of each printer go.
CREATE TABLE outages (
	key     INTEGER PRIMARY KEY,
	printer TEXT    NOT NULL,
	reason  TEXT    NOT NULL,
	began   INTEGER NOT NULL,
	ended   INTEGER NOT NULL,
	held    INTEGER NOT NULL -- jobs that had to wait
);
CREATE INDEX outages_printer ON outages (printer, key);

-- Bills and receipts as they were first printed (bridge/receipt), so that each further print can say that it is a copy.
CREATE TABLE papers (
	key       INTEGER PRIMARY KEY,
	id        BLOB    NOT NULL,
	check_key INTEGER NOT NULL,
	kind      TEXT    NOT NULL, -- bill, receipt
	state     INTEGER NOT NULL, -- version of the check it shows
	copies    INTEGER NOT NULL, -- printed beyond the first
	content   BLOB    NOT NULL  -- JSON
);
CREATE INDEX papers_check ON papers (check_key, kind);
