-- What became of commands, until the gateway knows: no person is named in it.
CREATE TABLE result (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    serial TEXT NOT NULL,
    told   TEXT NOT NULL                     -- JSON, as the gateway takes it
);
