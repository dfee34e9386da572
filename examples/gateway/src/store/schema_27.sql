-- Version 27: doors and terminals that a source tells of.
ALTER TABLE device ADD COLUMN source TEXT;           -- the name of the source; none of what calls itself
ALTER TABLE device ADD COLUMN label TEXT;            -- what the source calls it
