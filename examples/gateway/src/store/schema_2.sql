-- Version 2: a resume mark per table, and what a terminal is known to speak.
CREATE TABLE stamp (
    serial TEXT NOT NULL,
    name   TEXT NOT NULL,                    -- the terminal's table
    value  TEXT NOT NULL,                    -- its own text, never compared
    PRIMARY KEY (serial, name)
) WITHOUT ROWID;

INSERT INTO stamp SELECT serial, 'ATTLOG', attlog_stamp FROM device WHERE attlog_stamp IS NOT NULL;
INSERT INTO stamp SELECT serial, 'OPERLOG', operlog_stamp FROM device WHERE operlog_stamp IS NOT NULL;
ALTER TABLE device DROP COLUMN attlog_stamp;
ALTER TABLE device DROP COLUMN operlog_stamp;
ALTER TABLE device ADD COLUMN dialect TEXT;          -- attendance, access control
ALTER TABLE device ADD COLUMN declines_encryption INTEGER NOT NULL DEFAULT 0;
