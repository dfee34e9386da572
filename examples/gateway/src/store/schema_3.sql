-- Version 3: which way each punch went, what that rests on, and how often it was told anew.
ALTER TABLE row ADD COLUMN role TEXT;                -- entry, exit: what the terminal was there for
ALTER TABLE row ADD COLUMN trusted INTEGER NOT NULL DEFAULT 1; -- whether its states said something
ALTER TABLE row ADD COLUMN direction TEXT;           -- this and the next five were told last; null of older layouts
ALTER TABLE row ADD COLUMN direction_source TEXT;
ALTER TABLE row ADD COLUMN confidence INTEGER;       -- percent
ALTER TABLE row ADD COLUMN session_id TEXT;
ALTER TABLE row ADD COLUMN business_date TEXT;
ALTER TABLE row ADD COLUMN exceptions TEXT;          -- words, separated by commas
ALTER TABLE row ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX row_person ON row (pin, punched_at) WHERE fate = 'delivered';

-- What was told of a punch before, each time it was told anew.
CREATE TABLE revision (
    punch             TEXT NOT NULL,         -- the id of its row
    number            INTEGER NOT NULL,      -- from 1
    event_id          TEXT NOT NULL UNIQUE,  -- of the event that tells it
    at                INTEGER NOT NULL,      -- milliseconds since 1970
    reason            TEXT NOT NULL,
    old_direction     TEXT NOT NULL,
    old_session_id    TEXT,
    old_business_date TEXT,
    new_direction     TEXT NOT NULL,
    new_session_id    TEXT,
    new_business_date TEXT,
    PRIMARY KEY (punch, number)
) WITHOUT ROWID;

-- The states of each terminal's last punches, by which it is believed or not.
CREATE TABLE trust (
    serial TEXT PRIMARY KEY,
    last   TEXT NOT NULL                     -- JSON
) WITHOUT ROWID;
