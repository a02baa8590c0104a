-- What was answered, packed: some 30 KB of JSON are 6 KB then. `body` has the answers that were stored before;
-- nothing is kept there any more.
ALTER TABLE idempotency_keys ADD COLUMN answer BYTEA;
-- Packed once is enough.
ALTER TABLE idempotency_keys ALTER COLUMN answer SET STORAGE EXTERNAL;
