-- Version 15: two secrets while one takes the place of the other, replays, and when somebody was told of a failing endpoint.
ALTER TABLE endpoint ADD COLUMN previous_secret TEXT;   -- signs too, until the next
ALTER TABLE endpoint ADD COLUMN previous_until INTEGER; -- milliseconds since 1970
ALTER TABLE endpoint ADD COLUMN both_signatures INTEGER NOT NULL DEFAULT 0; -- in the PunchConnect header, meanwhile
ALTER TABLE endpoint ADD COLUMN notified_at INTEGER;    -- milliseconds since 1970

CREATE TABLE job (
    id          INTEGER PRIMARY KEY,
    endpoint    INTEGER NOT NULL REFERENCES endpoint (id),
    since       INTEGER NOT NULL,            -- milliseconds since 1970, as are the other times
    until       INTEGER NOT NULL,            -- not included
    types       TEXT NOT NULL,               -- of events, separated by commas
    only_failed INTEGER NOT NULL,
    state       TEXT NOT NULL,               -- running, done, cancelled
    total       INTEGER NOT NULL,            -- events there were when it began
    taken       INTEGER NOT NULL DEFAULT 0,  -- events it has come past
    cursor      INTEGER NOT NULL DEFAULT 0,  -- the seq of the last of them
    last        INTEGER NOT NULL,            -- the seq of the last event there was when it began
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER
);
ALTER TABLE delivery ADD COLUMN job INTEGER;            -- the replay that made it last
CREATE INDEX delivery_job ON delivery (job, state) WHERE job IS NOT NULL;
CREATE INDEX event_created ON event (created_at);
