-- Version 28, where a table can lose a constraint: see there.
DROP INDEX row_session;
DROP INDEX row_arrival;
DROP INDEX event_type;

ALTER TABLE event ADD COLUMN row_seq INTEGER;
UPDATE event SET row_seq = (SELECT row.seq FROM row WHERE row.id = event.id);
ALTER TABLE event DROP CONSTRAINT event_id_key;
CREATE UNIQUE INDEX event_row ON event (row_seq) WHERE row_seq IS NOT NULL;
CREATE UNIQUE INDEX event_id ON event (id) WHERE row_seq IS NULL;
