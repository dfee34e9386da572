-- Version 21: who changed what, each entry chained to the one before it.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,             -- from 1, without gaps
    at      INTEGER NOT NULL,                -- milliseconds since 1970
    via     TEXT NOT NULL,                   -- api, dashboard, configuration
    key     INTEGER,                         -- the number of the API key; 0 is that of the file
    scope   TEXT,
    session TEXT,
    source  TEXT,                            -- the address it came from
    action  TEXT NOT NULL,
    target  TEXT,                            -- the id of what it was about
    detail  TEXT NOT NULL,                   -- JSON
    outcome TEXT NOT NULL,                   -- done, accepted, refused, failed
    status  INTEGER,
    hash    BLOB NOT NULL                    -- SHA-256 of the hash before it and the entry's JSON
);
CREATE INDEX audit_at ON audit (at);
