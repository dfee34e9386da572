-- Version 22: from where a terminal may call and under which path, and who is logged in to the dashboard.
ALTER TABLE device ADD COLUMN allow TEXT;            -- networks, separated by commas; null is from everywhere
ALTER TABLE device ADD COLUMN path_token BLOB;       -- SHA-256 of it; null is under every path

CREATE TABLE dashboard_session (
    id    BLOB PRIMARY KEY,                  -- SHA-256 of what the cookie says
    until INTEGER NOT NULL                   -- milliseconds since 1970
);
