-- Delivery menus (bridge/menu). Times are microseconds since 1970 UTC.

-- Menus and catalogues as documents: compressed JSON in parts of a few pages, so that no order waits for a large one. A
-- document is the parts of one generation; what has no row in menu_documents is being written or was left over.
CREATE TABLE menu_documents (
	name       TEXT    PRIMARY KEY, -- catalogue, staged/MENU, remote/MENU, run/ID
	generation INTEGER NOT NULL,
	at         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE menu_parts (
	generation INTEGER NOT NULL,
	part       INTEGER NOT NULL,
	content    BLOB    NOT NULL
);
CREATE UNIQUE INDEX menu_parts_order ON menu_parts (generation, part);

-- Updates and publications, one at a time.
CREATE TABLE menu_runs (
	key     INTEGER PRIMARY KEY, -- number inside the run's id
	menu    TEXT    NOT NULL,
	state   TEXT    NOT NULL, -- queued, running, publishing, asking, done, failed, dismissed
	content BLOB    NOT NULL  -- JSON
);
CREATE INDEX menu_runs_menu ON menu_runs (menu, key);
CREATE INDEX menu_runs_open ON menu_runs (key) WHERE state IN ('queued', 'running', 'publishing');

-- When each menu is updated next.
CREATE TABLE menu_grids (
	menu TEXT    PRIMARY KEY,
	slot INTEGER NOT NULL,
	due  INTEGER NOT NULL
) WITHOUT ROWID;

-- What entities of aggregators stand for, where their ids do not say it.
CREATE TABLE menu_links (
	menu   TEXT    NOT NULL,
	kind   TEXT    NOT NULL, -- item, group, modifier
	within TEXT    NOT NULL, -- of a modifier: the aggregator's id of its group
	id     TEXT    NOT NULL,
	target TEXT    NOT NULL, -- ours
	method TEXT    NOT NULL, -- exact_name_price, manual
	at     INTEGER NOT NULL,
	by     TEXT    NOT NULL,
	PRIMARY KEY (menu, kind, within, id)
) WITHOUT ROWID;

-- What people changed on top of the POS.
CREATE TABLE menu_edits (
	menu   TEXT    NOT NULL,
	kind   TEXT    NOT NULL,
	id     TEXT    NOT NULL,
	slug   TEXT    NOT NULL, -- one marketplace; '': all of the menu
	field  TEXT    NOT NULL,
	value  TEXT    NOT NULL,
	locked INTEGER NOT NULL, -- 1: the POS does not win over it
	at     INTEGER NOT NULL,
	by     TEXT    NOT NULL,
	PRIMARY KEY (menu, kind, id, slug, field)
) WITHOUT ROWID;

-- What aggregators and tills were told to be sold out, and what somebody else told us to be.
CREATE TABLE menu_told (
	target TEXT    NOT NULL, -- a menu, or pos
	sku    TEXT    NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (target, sku)
) WITHOUT ROWID;
