-- Version 4: a badge is somebody's at a place and for a time, and a person can have several.
ALTER TABLE employee RENAME TO employee_3;
CREATE TABLE employee (
    badge      TEXT NOT NULL,
    scope_kind TEXT NOT NULL DEFAULT 'tenant',   -- tenant, site, device: where the badge is theirs
    scope      TEXT NOT NULL DEFAULT '',         -- the site's name, the device's serial
    valid_from TEXT NOT NULL DEFAULT '',         -- a day there or a moment; empty is since ever
    valid_to   TEXT NOT NULL DEFAULT '',         -- the last day or the first moment no more; empty is for ever
    id         TEXT,                             -- the key of the person; without one the badge is it
    name       TEXT,
    shifts     TEXT NOT NULL DEFAULT '[]',       -- names, as a JSON list
    PRIMARY KEY (badge, scope_kind, scope, valid_from)
) WITHOUT ROWID;
INSERT INTO employee (badge, name) SELECT badge, name FROM employee_3;
DROP TABLE employee_3;
