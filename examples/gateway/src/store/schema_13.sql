-- Version 13: what somebody says of a row that is held.
ALTER TABLE row ADD COLUMN shift_s INTEGER;          -- what the clock was off by: true time minus the terminal's
ALTER TABLE row ADD COLUMN whose TEXT;               -- the PIN of whoever it is, of a row that names nobody
CREATE INDEX row_discarded ON row (reason) WHERE fate = 'discarded';
