-- Version 16: what dates a held row that is taken once more without those it came with, and why a row was put away.
ALTER TABLE row ADD COLUMN previous_at INTEGER;      -- seconds since 1970: the row before it in its upload
ALTER TABLE row ADD COLUMN was_live INTEGER NOT NULL DEFAULT 0; -- whether it was sent as it happened
ALTER TABLE row ADD COLUMN put_away TEXT;            -- why, in the words of whoever did it
UPDATE row SET put_away = problem, problem = NULL WHERE fate = 'discarded';
-- Newest first, and by whose they are: who somebody says it is goes before what was sent.
CREATE INDEX row_aside ON row (seq) WHERE fate = 'held' OR fate = 'discarded';
DROP INDEX row_held;
CREATE INDEX row_held ON row (reason, coalesce(CAST(whose AS BLOB), pin)) WHERE fate = 'held';
