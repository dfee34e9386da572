-- Version 14: what receivers answered, and endpoints that somebody has removed.
ALTER TABLE attempt ADD COLUMN response TEXT;        -- the first of what was answered
ALTER TABLE endpoint ADD COLUMN removed_at INTEGER;  -- milliseconds since 1970
CREATE INDEX delivery_event ON delivery (event_id);
CREATE INDEX event_type ON event (type, seq);
CREATE INDEX employee_person ON employee (id) WHERE id IS NOT NULL;
