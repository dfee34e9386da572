-- Version 29: every event has a nested body, so it lies beside the event, where it is written with it. A body of its own is
-- one of another shape.
CREATE TABLE event_29 (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL,
    type       TEXT NOT NULL,
    lane       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,                 -- milliseconds since 1970
    row_seq    INTEGER,                          -- of the row that has its id: the punch that it tells first
    nested     BLOB                              -- its body; none once whom it tells of was erased with their punches
);
INSERT INTO event_29 SELECT seq, id, type, lane, created_at, row_seq, bytes
    FROM event LEFT JOIN body ON body.event = event.seq AND body.format = 'nested';
DROP TABLE event;
ALTER TABLE event_29 RENAME TO event;
CREATE INDEX event_created ON event (created_at);
CREATE UNIQUE INDEX event_row ON event (row_seq) WHERE row_seq IS NOT NULL;
CREATE UNIQUE INDEX event_id ON event (id) WHERE row_seq IS NULL;
DELETE FROM body WHERE format = 'nested';
