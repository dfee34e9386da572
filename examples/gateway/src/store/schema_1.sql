-- Version 1. Forward only: a change is a new file and a higher user_version.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE device (
    serial        TEXT PRIMARY KEY,
    admission     TEXT NOT NULL,             -- approved, pending, blocked
    first_seen    INTEGER NOT NULL,          -- milliseconds since 1970
    attlog_stamp  TEXT,
    operlog_stamp TEXT
) WITHOUT ROWID;

CREATE TABLE employee (
    badge TEXT PRIMARY KEY,
    name  TEXT
) WITHOUT ROWID;

-- Every row a terminal ever sent, with its one fate.
CREATE TABLE row (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,       -- the event id, or one made from the bytes
    serial       TEXT NOT NULL,
    fate         TEXT NOT NULL,              -- delivered, suppressed, held, recorded
    reason       TEXT,                       -- why held; the table of a record
    problem      TEXT,                       -- where and why a row did not read
    duplicate_of TEXT,
    pin          BLOB,
    device_local TEXT,
    status       INTEGER,
    verify       INTEGER,
    work_code    TEXT,
    punched_at   INTEGER,                    -- seconds since 1970
    received_at  INTEGER NOT NULL,           -- milliseconds since 1970
    raw          BLOB NOT NULL
);
CREATE INDEX row_kept ON row (serial, pin, device_local) WHERE fate = 'delivered';
CREATE INDEX row_held ON row (reason, pin) WHERE fate = 'held';

CREATE TABLE event (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    type       TEXT NOT NULL,
    lane       INTEGER NOT NULL,             -- hash of the employee: order is kept within it
    created_at INTEGER NOT NULL              -- milliseconds since 1970
);

-- One body per event and shape, byte for byte what the first attempt sends.
CREATE TABLE body (
    event_id TEXT NOT NULL,
    format   TEXT NOT NULL,
    bytes    BLOB NOT NULL,
    PRIMARY KEY (event_id, format)
) WITHOUT ROWID;

CREATE TABLE endpoint (
    id         INTEGER PRIMARY KEY,
    url        TEXT NOT NULL UNIQUE,
    secret     TEXT NOT NULL,
    format     TEXT NOT NULL,
    schedule   TEXT NOT NULL,
    events     TEXT NOT NULL,                -- the types it wants, separated by commas
    health     TEXT NOT NULL DEFAULT 'healthy', -- this and the next four are the queue's
    since      INTEGER,
    failures   INTEGER NOT NULL DEFAULT 0,
    next_probe_at  INTEGER,
    deadlines_from INTEGER,
    created_at INTEGER NOT NULL
);

-- The deliveries are the queue.
CREATE TABLE delivery (
    id         INTEGER PRIMARY KEY,
    endpoint   INTEGER NOT NULL REFERENCES endpoint (id),
    event_id   TEXT NOT NULL,
    lane       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,             -- milliseconds since 1970
    state      TEXT NOT NULL,                -- waiting, delivered, failed
    attempts   INTEGER NOT NULL DEFAULT 0,   -- this and the next three are the queue's
    slots_used INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    blocking_since INTEGER,
    reason     TEXT,
    settled_at INTEGER,
    UNIQUE (endpoint, event_id)
);
CREATE INDEX delivery_waiting ON delivery (id) WHERE state = 'waiting';

CREATE TABLE attempt (
    delivery INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    at       INTEGER NOT NULL,               -- milliseconds since 1970
    status   INTEGER,                        -- null if there was no answer
    error    TEXT,
    millis   INTEGER NOT NULL,
    PRIMARY KEY (delivery, number, at)
) WITHOUT ROWID;
