-- Version 17: what was answered to requests with an `Idempotency-Key`, to be answered again; rows in the order they come.
CREATE TABLE idempotency (
    scope        TEXT NOT NULL,                -- the method and the path
    key          TEXT NOT NULL,
    fingerprint  BLOB NOT NULL,                -- of the method, the target and the body
    began_at     INTEGER NOT NULL,             -- milliseconds since 1970
    status       INTEGER NOT NULL,
    content_type TEXT,
    location     TEXT,
    body         BLOB NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_began ON idempotency (began_at);

-- Bodies and deliveries are found by the place of their event among all events, not by its id: ids are as good as
-- random, and each would lie on a page of its own.
CREATE TABLE body_17 (
    event  INTEGER NOT NULL,                   -- its seq
    format TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (event, format)
) WITHOUT ROWID;
INSERT INTO body_17 SELECT event.seq, body.format, body.bytes FROM body JOIN event ON event.id = body.event_id;
DROP TABLE body;
ALTER TABLE body_17 RENAME TO body;

CREATE TABLE delivery_17 (
    id         INTEGER PRIMARY KEY,
    endpoint   INTEGER NOT NULL REFERENCES endpoint (id),
    event      INTEGER NOT NULL,             -- its seq
    lane       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,             -- milliseconds since 1970
    state      TEXT NOT NULL,                -- waiting, delivered, failed
    attempts   INTEGER NOT NULL DEFAULT 0,   -- this and the next three are the queue's
    slots_used INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    blocking_since INTEGER,
    reason     TEXT,
    settled_at INTEGER,
    job        INTEGER,                      -- the replay that made it last
    UNIQUE (endpoint, event)
);
INSERT INTO delivery_17 SELECT delivery.id, endpoint, event.seq, delivery.lane, delivery.created_at, state, attempts,
    slots_used, not_before, blocking_since, reason, settled_at, job
    FROM delivery JOIN event ON event.id = delivery.event_id;
DROP TABLE delivery;
ALTER TABLE delivery_17 RENAME TO delivery;
CREATE INDEX delivery_waiting ON delivery (id) WHERE state = 'waiting';
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_job ON delivery (job, state) WHERE job IS NOT NULL;

ALTER TABLE endpoint ADD COLUMN options TEXT NOT NULL DEFAULT '{}'; -- JSON: headers, limit, sites
ALTER TABLE attempt ADD COLUMN format TEXT;               -- the shape of what was sent; null if nothing was
