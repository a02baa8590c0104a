DROP TABLE feed;
DROP TABLE outbox;
DROP TABLE jobs;
DROP INDEX clocks_wake_idx;
ALTER TABLE clocks DROP COLUMN woken;
ALTER TABLE clocks DROP COLUMN wake_at;
