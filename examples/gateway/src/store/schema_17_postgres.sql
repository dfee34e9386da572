-- Version 17 as a whole, where there was none before it: PostgreSQL. What is said of the columns stands in the layouts
-- that brought them. Later versions are the same everywhere.
CREATE FUNCTION instr(text, text) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT strpos($1, $2)';
CREATE FUNCTION bytes_of(text) RETURNS bytea IMMUTABLE LANGUAGE sql AS 'SELECT convert_to($1, ''UTF8'')';
CREATE FUNCTION now_millis() RETURNS bigint VOLATILE LANGUAGE sql AS
    'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)';

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE device (
    serial              TEXT PRIMARY KEY,
    admission           TEXT NOT NULL,
    first_seen          INTEGER NOT NULL,
    dialect             TEXT,
    declines_encryption INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE stamp (
    serial TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (serial, name)
);

CREATE TABLE trust (
    serial TEXT PRIMARY KEY,
    last   TEXT NOT NULL
);

CREATE TABLE clock (
    serial      TEXT PRIMARY KEY,
    state       TEXT NOT NULL,
    zones       TEXT NOT NULL,
    alarm_since INTEGER,
    alarm_cause TEXT,
    ahead_at    INTEGER
);

CREATE TABLE watermark (
    site        TEXT PRIMARY KEY,
    complete_to INTEGER NOT NULL,
    waiting_for TEXT
);

CREATE TABLE employee (
    badge      TEXT NOT NULL,
    scope_kind TEXT NOT NULL DEFAULT 'tenant',
    scope      TEXT NOT NULL DEFAULT '',
    valid_from TEXT NOT NULL DEFAULT '',
    valid_to   TEXT NOT NULL DEFAULT '',
    id         TEXT,
    name       TEXT,
    shifts     TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (badge, scope_kind, scope, valid_from)
);
CREATE INDEX employee_person ON employee (id) WHERE id IS NOT NULL;

CREATE TABLE row (
    seq              INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    serial           TEXT NOT NULL,
    fate             TEXT NOT NULL,
    reason           TEXT,
    problem          TEXT,
    duplicate_of     TEXT,
    pin              BLOB,
    device_local     TEXT,
    status           INTEGER,
    verify           INTEGER,
    work_code        TEXT,
    punched_at       INTEGER,
    received_at      INTEGER NOT NULL,
    raw              BLOB NOT NULL,
    role             TEXT,
    trusted          INTEGER NOT NULL DEFAULT 1,
    direction        TEXT,
    direction_source TEXT,
    confidence       INTEGER,
    session_id       TEXT,
    business_date    TEXT,
    exceptions       TEXT,
    revision         INTEGER NOT NULL DEFAULT 0,
    person           TEXT,
    site             TEXT,
    place            INTEGER NOT NULL DEFAULT 0,
    is_utc           INTEGER NOT NULL DEFAULT 0,
    local_time       TEXT,
    time_quality     TEXT,
    clock_offset_s   INTEGER,
    historic         INTEGER NOT NULL DEFAULT 0,
    manual           TEXT,
    manual_note      TEXT,
    manual_at        INTEGER,
    shift_s          INTEGER,
    whose            TEXT,
    previous_at      INTEGER,
    was_live         INTEGER NOT NULL DEFAULT 0,
    put_away         TEXT
);
CREATE INDEX row_person ON row (person, punched_at) WHERE fate IN ('delivered', 'suppressed');
CREATE INDEX row_arrival ON row (punched_at)
    WHERE fate = 'delivered' AND direction IN ('in', 'break_in', 'overtime_in');
CREATE INDEX row_session ON row (session_id) WHERE fate = 'delivered';
CREATE INDEX row_device ON row (serial, seq);
CREATE INDEX row_discarded ON row (reason) WHERE fate = 'discarded';
CREATE INDEX row_aside ON row (seq) WHERE fate = 'held' OR fate = 'discarded';
CREATE INDEX row_held ON row (reason, coalesce(CAST(whose AS BLOB), pin)) WHERE fate = 'held';

CREATE TABLE revision (
    punch             TEXT NOT NULL,
    number            INTEGER NOT NULL,
    event_id          TEXT NOT NULL UNIQUE,
    at                INTEGER NOT NULL,
    reason            TEXT NOT NULL,
    old_direction     TEXT NOT NULL,
    old_session_id    TEXT,
    old_business_date TEXT,
    new_direction     TEXT NOT NULL,
    new_session_id    TEXT,
    new_business_date TEXT,
    PRIMARY KEY (punch, number)
);

CREATE TABLE event (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    type       TEXT NOT NULL,
    lane       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX event_type ON event (type, seq);
CREATE INDEX event_created ON event (created_at);

CREATE TABLE body (
    event  INTEGER NOT NULL,
    format TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (event, format)
);

CREATE TABLE endpoint (
    id              INTEGER PRIMARY KEY,
    url             TEXT NOT NULL UNIQUE,
    secret          TEXT NOT NULL,
    format          TEXT NOT NULL,
    schedule        TEXT NOT NULL,
    events          TEXT NOT NULL,
    health          TEXT NOT NULL DEFAULT 'healthy',
    since           INTEGER,
    failures        INTEGER NOT NULL DEFAULT 0,
    next_probe_at   INTEGER,
    deadlines_from  INTEGER,
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER,
    previous_secret TEXT,
    previous_until  INTEGER,
    both_signatures INTEGER NOT NULL DEFAULT 0,
    notified_at     INTEGER,
    options         TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE delivery (
    id             INTEGER PRIMARY KEY,
    endpoint       INTEGER NOT NULL REFERENCES endpoint (id),
    event          INTEGER NOT NULL,
    lane           INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    state          TEXT NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    slots_used     INTEGER NOT NULL DEFAULT 0,
    not_before     INTEGER,
    blocking_since INTEGER,
    reason         TEXT,
    settled_at     INTEGER,
    job            INTEGER,
    UNIQUE (endpoint, event)
);
CREATE INDEX delivery_waiting ON delivery (id) WHERE state = 'waiting';
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_job ON delivery (job, state) WHERE job IS NOT NULL;

CREATE TABLE attempt (
    delivery INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    status   INTEGER,
    error    TEXT,
    millis   INTEGER NOT NULL,
    response TEXT,
    format   TEXT,
    PRIMARY KEY (delivery, number, at)
);

CREATE TABLE job (
    id          INTEGER PRIMARY KEY,
    endpoint    INTEGER NOT NULL REFERENCES endpoint (id),
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    types       TEXT NOT NULL,
    only_failed INTEGER NOT NULL,
    state       TEXT NOT NULL,
    total       INTEGER NOT NULL,
    taken       INTEGER NOT NULL DEFAULT 0,
    cursor      INTEGER NOT NULL DEFAULT 0,
    last        INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER
);

CREATE TABLE idempotency (
    scope        TEXT NOT NULL,
    key          TEXT NOT NULL,
    fingerprint  BLOB NOT NULL,
    began_at     INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    content_type TEXT,
    location     TEXT,
    body         BLOB NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_began ON idempotency (began_at);
