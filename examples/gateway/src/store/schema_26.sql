-- Version 26: which terminals were told to be there.
CREATE TABLE reach (
    serial    TEXT PRIMARY KEY,
    is_online INTEGER,                       -- as it was told last; null: not told since it was let in
    turn      INTEGER NOT NULL,              -- how often it was told
    heard_at  INTEGER                        -- milliseconds since 1970: as gateways over one store tell each other
);
