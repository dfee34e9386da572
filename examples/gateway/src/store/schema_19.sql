-- Version 19: the headers of each attempt; of which outage people were told, and the mails to them until they are taken;
-- rows and deliveries that are counted.
ALTER TABLE attempt ADD COLUMN headers TEXT;              -- one a line; of the endpoint's own ones no value
ALTER TABLE endpoint ADD COLUMN outage_told INTEGER;      -- milliseconds since 1970: since when that outage is
CREATE TABLE mail (
    id         INTEGER PRIMARY KEY,
    subject    TEXT NOT NULL,
    text       TEXT NOT NULL,
    created_at INTEGER NOT NULL,             -- milliseconds since 1970, as is the other time
    not_before INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0
);
-- What is left over is the rest of all, so the many that are delivered cost nothing here.
CREATE INDEX row_suppressed ON row (seq) WHERE fate = 'suppressed';
CREATE INDEX row_recorded ON row (seq) WHERE fate = 'recorded';
CREATE INDEX delivery_failed ON delivery (id) WHERE state = 'failed';
