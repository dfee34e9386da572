-- Version 18: commands to terminals and what became of them, and whom a terminal is known to have.
-- A job may be about commands too.
CREATE TABLE job_18 (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,               -- replay, commands
    endpoint    INTEGER REFERENCES endpoint (id), -- this and the next four are those of a replay
    since       INTEGER,                     -- milliseconds since 1970, as are the other times
    until       INTEGER,                     -- not included
    types       TEXT,                        -- of events, separated by commas
    only_failed INTEGER,
    state       TEXT NOT NULL,               -- running, done, cancelled
    total       INTEGER NOT NULL,            -- events there were, or steps there are, when it began
    taken       INTEGER NOT NULL DEFAULT 0,  -- events it has come past; this and the next two are those of a replay
    cursor      INTEGER NOT NULL DEFAULT 0,  -- the seq of the last of them
    last        INTEGER,                     -- the seq of the last event there was when it began
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER
);
INSERT INTO job_18 SELECT id, 'replay', endpoint, since, until, types, only_failed, state, total, taken, cursor, last,
    created_at, ended_at FROM job;
DROP TABLE job;
ALTER TABLE job_18 RENAME TO job;

-- What is asked of terminals, until each has all of it as tickets. It names people, so it goes then.
CREATE TABLE steps (
    id   INTEGER PRIMARY KEY,
    list TEXT NOT NULL                       -- JSON
);

CREATE TABLE command (
    id         INTEGER PRIMARY KEY,
    serial     TEXT NOT NULL,
    kind       TEXT NOT NULL,                -- the word of the API
    payload    TEXT NOT NULL,                -- JSON, without people
    state      TEXT NOT NULL,                -- queued, sent; done, partial, failed, unknown, expired, refused, cancelled
    reason     TEXT,                         -- why the terminal cannot do it
    job        INTEGER REFERENCES job (id),
    steps      INTEGER REFERENCES steps (id), -- null when all of them have been looked at
    taken      INTEGER NOT NULL DEFAULT 0,   -- how many have
    total      INTEGER NOT NULL,
    unchanged  INTEGER NOT NULL DEFAULT 0,   -- people whom the terminal had as they should be
    created_at INTEGER NOT NULL,             -- milliseconds since 1970, as are the other times
    ttl        INTEGER NOT NULL,             -- how long it stays good, in milliseconds
    expires_at INTEGER NOT NULL,
    settled_at INTEGER
);
CREATE INDEX command_device ON command (serial, id);
CREATE INDEX command_state ON command (state, id);
CREATE INDEX command_job ON command (job, state) WHERE job IS NOT NULL;
CREATE INDEX command_steps ON command (steps) WHERE steps IS NOT NULL;

-- One command of the protocol. Its id, in base 36, is what the terminal repeats.
CREATE TABLE ticket (
    id         INTEGER PRIMARY KEY,
    command    INTEGER NOT NULL REFERENCES command (id),
    serial     TEXT NOT NULL,
    badge      TEXT,                         -- whom it is about
    action     TEXT NOT NULL,
    detail     TEXT,                         -- JSON; null once it is done
    once       INTEGER NOT NULL,             -- whether it must not be sent twice
    state      TEXT NOT NULL,                -- queued, sent, accepted; done, failed, unknown, expired, refused, cancelled
    sent_at    INTEGER,
    times      INTEGER NOT NULL DEFAULT 0,   -- how often it was sent
    code       INTEGER,                      -- what the terminal returned
    reason     TEXT,                         -- why it could not be written
    answer     TEXT,                         -- JSON: what the terminal told
    expires_at INTEGER NOT NULL,
    settled_at INTEGER
);
CREATE INDEX ticket_open ON ticket (serial, state, once, id) WHERE state IN ('queued', 'sent', 'accepted');
CREATE INDEX ticket_person ON ticket (serial, badge) WHERE state IN ('queued', 'sent', 'accepted');
CREATE INDEX ticket_due ON ticket (expires_at) WHERE state IN ('queued', 'sent', 'accepted');
CREATE INDEX ticket_command ON ticket (command, state, id);

-- People whom a terminal has confirmed to have, by what was written of them.
CREATE TABLE roster (
    serial TEXT NOT NULL,
    badge  TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (serial, badge)
) WITHOUT ROWID;

-- Punches of a time.
CREATE INDEX row_punched ON row (punched_at) WHERE fate = 'delivered';

-- What a terminal said of itself before anybody let it in: JSON.
ALTER TABLE device ADD COLUMN said TEXT;

-- Keys to the API. What is stored is the hash; the key is shown once.
CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,         -- SHA-256
    scope      TEXT NOT NULL,                -- read, write, admin, inspector
    created_at INTEGER NOT NULL,             -- milliseconds since 1970
    revoked_at INTEGER
);
INSERT INTO api_key (name, hash, scope, created_at)
    SELECT 'first start', value, 'admin', 0 FROM meta WHERE key = 'api_key_hash';
DELETE FROM meta WHERE key = 'api_key_hash';

-- How often each key has called, so that a restart gives nothing away.
CREATE TABLE api_calls (
    key   INTEGER PRIMARY KEY,               -- 0 is that of the file
    day   INTEGER NOT NULL,                  -- since 1970
    calls INTEGER NOT NULL
);
