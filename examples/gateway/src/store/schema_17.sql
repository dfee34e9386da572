-- Version 17: what was answered to requests with an `Idempotency-Key`, to be answered again.
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
