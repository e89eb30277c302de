-- Which tables the open checks stand on (bridge/floor), so that "is this table free" is one step through an index. Rows of
-- checks that are no longer open go.
CREATE TABLE check_tables (
	name      TEXT    NOT NULL,
	check_key INTEGER NOT NULL,
	PRIMARY KEY (name, check_key)
) WITHOUT ROWID;
INSERT OR IGNORE INTO check_tables (name, check_key)
	SELECT t.value, c.key FROM checks AS c, json_each(CAST(c.content AS TEXT), '$.tables') AS t WHERE c.state = 'open';
