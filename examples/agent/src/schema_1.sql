-- Punches read from terminals, those that wait and those that were forwarded. Ids are never used again, so a batch can
-- be named by its last one. Times are a terminal's own clock, in seconds since 1970-01-01 00:00:00.
CREATE TABLE row (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    serial    TEXT NOT NULL,
    pin       BLOB,
    local     INTEGER,
    state     INTEGER,
    verify    INTEGER,
    work_code TEXT,
    -- Of a row that cannot be a punch only: the place in the table of users, and the time as it is packed.
    slot      INTEGER,
    packed    INTEGER,
    forwarded INTEGER NOT NULL DEFAULT 0
);

-- What makes a punch the same punch: a missing state and 255 are one, as in its event id. Nothing is told apart by what
-- it lacks.
CREATE UNIQUE INDEX row_identity ON row
    (serial, ifnull(pin, ''), ifnull(local, -1), ifnull(state, 255), ifnull(slot, -1), ifnull(packed, -1));

CREATE INDEX row_order ON row (serial, forwarded, id);

-- How many rows of each terminal there are, so that nothing has to be counted, and up to where it was read.
CREATE TABLE terminal (
    serial    TEXT PRIMARY KEY,
    waiting   INTEGER NOT NULL DEFAULT 0,
    forwarded INTEGER NOT NULL DEFAULT 0,
    mark      INTEGER
) WITHOUT ROWID;
