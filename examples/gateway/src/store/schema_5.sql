-- Version 5: how right each terminal's clock is, and the zones it was configured with.
CREATE TABLE clock (
    serial      TEXT PRIMARY KEY,
    state       TEXT NOT NULL,               -- JSON: what was measured
    zones       TEXT NOT NULL,               -- JSON: the zones, and since when each applies
    alarm_since INTEGER,                     -- milliseconds since 1970; null if no alarm is open
    alarm_cause TEXT,                        -- measured, row_ahead
    ahead_at    INTEGER                      -- milliseconds since 1970; when a row was last ahead of its receipt
) WITHOUT ROWID;
