-- Version 25: what terminals told whoever reads them on port 4370.
ALTER TABLE device ADD COLUMN probe TEXT;            -- JSON: what it is, has and can
