-- Version 29, where a table is not written anew for a column: see there.
ALTER TABLE event ADD COLUMN nested BYTEA;
UPDATE event SET nested = bytes FROM body WHERE body.event = event.seq AND body.format = 'nested';
DELETE FROM body WHERE format = 'nested';
