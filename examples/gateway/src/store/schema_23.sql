-- Version 23: the model of a terminal, as whoever let it in says; what an endpoint was not given is counted by the endpoint.
ALTER TABLE device ADD COLUMN model TEXT;
DROP INDEX delivery_failed;
CREATE INDEX delivery_failed ON delivery (endpoint, id) WHERE state = 'failed';
