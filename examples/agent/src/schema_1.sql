-- Punches read from terminals, those that wait and those that were forwarded. Ids are never used again, so a batch can
-- be named by its last one. Times are a terminal's own clock, in seconds since 1970-01-01 00:00:00.
CREATE TABLE punch (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    serial    TEXT NOT NULL,
    pin       BLOB NOT NULL,
    local     INTEGER NOT NULL,
    state     INTEGER,
    verify    INTEGER,
    work_code TEXT,
    forwarded INTEGER NOT NULL DEFAULT 0
);

-- What makes a punch the same punch: a missing state and 255 are one, as in its event id.
CREATE UNIQUE INDEX punch_identity ON punch (serial, pin, local, ifnull(state, 255));

CREATE INDEX punch_order ON punch (serial, forwarded, id);

-- How many rows of each terminal there are, so that nothing has to be counted, and up to where it was read.
CREATE TABLE terminal (
    serial    TEXT PRIMARY KEY,
    waiting   INTEGER NOT NULL DEFAULT 0,
    forwarded INTEGER NOT NULL DEFAULT 0,
    mark      INTEGER
) WITHOUT ROWID;
