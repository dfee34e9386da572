-- Version 20: which gateway delivers to an endpoint, where several work with one store.
ALTER TABLE endpoint ADD COLUMN holder TEXT;         -- the gateway that delivers to it
ALTER TABLE endpoint ADD COLUMN held_until INTEGER;  -- milliseconds since 1970, by the clock of the store
ALTER TABLE endpoint ADD COLUMN wish TEXT;           -- of somebody, to the gateway that delivers: pause, resume, look
CREATE TABLE replica (
    id         TEXT PRIMARY KEY,
    seen_until INTEGER NOT NULL
);
