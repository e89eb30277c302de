-- A party that sat down without a check is looked for by when it sat down. In a house that opens no checks by itself, and whose
-- platform never says that a party left, such parties gather for ever.
DROP INDEX reservations_wanting;
CREATE INDEX reservations_wanting ON reservations (seated_at) WHERE wanting = 1;
