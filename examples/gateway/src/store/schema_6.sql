-- Version 6: whose a punch is, where it was made, and how its instant was found.
ALTER TABLE row ADD COLUMN person TEXT;              -- the key of the person; without a register the PIN
ALTER TABLE row ADD COLUMN site TEXT;
ALTER TABLE row ADD COLUMN place INTEGER NOT NULL DEFAULT 0; -- in its upload; decides between two of one second
ALTER TABLE row ADD COLUMN is_utc INTEGER NOT NULL DEFAULT 0; -- whether device_local is UTC
ALTER TABLE row ADD COLUMN local_time TEXT;          -- the instant with the site's offset, RFC 3339
ALTER TABLE row ADD COLUMN time_quality TEXT;
ALTER TABLE row ADD COLUMN clock_offset_s INTEGER;   -- true time minus the terminal's
ALTER TABLE row ADD COLUMN historic INTEGER NOT NULL DEFAULT 0; -- too old to be sent without being asked for
UPDATE row SET person = CAST(pin AS TEXT) WHERE pin IS NOT NULL;
DROP INDEX row_kept;
DROP INDEX row_person;
CREATE INDEX row_person ON row (person, punched_at) WHERE fate IN ('delivered', 'suppressed');
