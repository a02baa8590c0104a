DROP TABLE idempotency_keys;
DROP TABLE events;
DROP TABLE number_series;
DROP TABLE duties;
DROP TABLE clocks;
