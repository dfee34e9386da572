-- Version 12: a direction that somebody has put in its place by hand.
ALTER TABLE row ADD COLUMN manual TEXT;
ALTER TABLE row ADD COLUMN manual_note TEXT;         -- why, in the words of whoever did it
ALTER TABLE row ADD COLUMN manual_at INTEGER;        -- milliseconds since 1970
