-- Version 9: up to when everything of a site is known.
CREATE TABLE watermark (
    site        TEXT PRIMARY KEY,
    complete_to INTEGER NOT NULL,            -- milliseconds since 1970
    waiting_for TEXT                         -- the serial of the terminal that holds it back
) WITHOUT ROWID;
-- Those who may have forgotten to say that they left.
CREATE INDEX row_arrival ON row (punched_at)
    WHERE fate = 'delivered' AND direction IN ('in', 'break_in', 'overtime_in');
CREATE INDEX row_session ON row (session_id) WHERE fate = 'delivered';
-- The rows of one terminal, in the order they came.
CREATE INDEX row_device ON row (serial, seq);
