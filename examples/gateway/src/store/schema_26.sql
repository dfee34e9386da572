-- Version 26: which terminals were told to be there, and up to where old entries of the audit log have been removed.
CREATE TABLE reach (
    serial    TEXT PRIMARY KEY,
    is_online INTEGER,                       -- as it was told last; null: not told since it was let in
    turn      INTEGER NOT NULL,              -- how often it was told
    heard_at  INTEGER                        -- milliseconds since 1970: as gateways over one store tell each other
);
CREATE TABLE audit_cut (
    seq  INTEGER PRIMARY KEY,                -- the last entry that was removed
    at   INTEGER NOT NULL,                   -- when it was removed
    hash BLOB NOT NULL                       -- its hash: what follows is chained to it
);
