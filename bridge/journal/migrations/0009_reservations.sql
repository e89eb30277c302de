-- Reservations of the platforms (bridge/reservation) and what the platforms are told (bridge/relay).
-- key is the number inside the row's id (journal.ID.Key). Times are microseconds since 1970 UTC; 0 means not yet.

-- The link to each platform. What people set up of it is a setting, integration.PLATFORM.
CREATE TABLE integrations (
	platform   TEXT    PRIMARY KEY,
	state      TEXT    NOT NULL, -- inactive, pending, active, disabling, error, linked_elsewhere
	detail     TEXT    NOT NULL,
	since      INTEGER NOT NULL,
	expires_at INTEGER NOT NULL, -- a pending one is over then
	heard_at   INTEGER NOT NULL, -- the last message of the platform
	pulled_at  INTEGER NOT NULL  -- reservations were read up to here
) WITHOUT ROWID;

CREATE TABLE reservations (
	key          INTEGER PRIMARY KEY,
	id           BLOB    NOT NULL,
	platform     TEXT    NOT NULL,
	ref          TEXT    NOT NULL, -- the platform's id
	status       TEXT    NOT NULL,
	order_state  TEXT    NOT NULL, -- none, pending, open, failed, closed
	problem      TEXT    NOT NULL,
	detail       TEXT    NOT NULL,
	origin       TEXT    NOT NULL, -- who linked the check: auto, manual_match, operator
	business_day TEXT    NOT NULL,
	scheduled_at INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL, -- by the platform's clock
	sequence     INTEGER NOT NULL,
	hash         BLOB    NOT NULL, -- of the latest message that has neither of the two
	seated_at    INTEGER NOT NULL,
	wanting      INTEGER NOT NULL, -- 1 while the party sits and has no check
	retry_at     INTEGER NOT NULL, -- of a pending one
	give_up_at   INTEGER NOT NULL,
	forget_at    INTEGER NOT NULL, -- the guest is forgotten then; 0: is already
	applied      INTEGER NOT NULL, -- of the deposits, in minor units
	flags        TEXT    NOT NULL, -- what a person should look at, parted by commas
	progress     TEXT    NOT NULL, -- how far the meal has come, JSON
	content      BLOB    NOT NULL, -- what the platform told, JSON
	log          TEXT    NOT NULL
);
CREATE UNIQUE INDEX reservations_ref ON reservations (platform, ref);
CREATE INDEX reservations_day ON reservations (business_day);
CREATE INDEX reservations_wanting ON reservations (key) WHERE wanting = 1;
CREATE INDEX reservations_pending ON reservations (retry_at) WHERE order_state = 'pending';
CREATE INDEX reservations_forget ON reservations (forget_at) WHERE forget_at > 0;

-- Which checks are of which party. A check that was split or merged has made more rows of one.
CREATE TABLE party_checks (
	check_key       INTEGER NOT NULL,
	reservation_key INTEGER NOT NULL,
	check_id        BLOB    NOT NULL,
	PRIMARY KEY (check_key, reservation_key)
) WITHOUT ROWID;
CREATE INDEX party_checks_reservation ON party_checks (reservation_key);

-- Messages that were refused, so that a missing reservation can be explained. The oldest go.
CREATE TABLE rejected (
	key      INTEGER PRIMARY KEY,
	platform TEXT    NOT NULL,
	at       INTEGER NOT NULL,
	status   INTEGER NOT NULL, -- of the answer
	reason   TEXT    NOT NULL,
	ref      TEXT    NOT NULL, -- the reservation it spoke of, where that could be read
	hash     BLOB    NOT NULL  -- SHA-256 of the body
);

-- What the platforms are told, in the order in which it happened.
CREATE TABLE relays (
	key         INTEGER PRIMARY KEY,
	id          BLOB    NOT NULL, -- the request id: the same in every repetition
	platform    TEXT    NOT NULL,
	party       INTEGER NOT NULL, -- key of the reservation: its updates go out one after the other
	kind        TEXT    NOT NULL,
	state       TEXT    NOT NULL, -- waiting, sent, skipped, superseded, failed, expired, cancelled
	attempts    INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	next_at     INTEGER NOT NULL, -- of a waiting one; the greatest number while an older one of the party waits
	expires_at  INTEGER NOT NULL,
	settled_at  INTEGER NOT NULL,
	answer      TEXT    NOT NULL, -- what came of the latest attempt
	content     BLOB    NOT NULL  -- the update, JSON
);
CREATE INDEX relays_due ON relays (platform, next_at) WHERE state = 'waiting';
CREATE INDEX relays_party ON relays (party);
