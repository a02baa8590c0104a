DROP INDEX units_successor_idx;
ALTER TABLE units DROP COLUMN succession_reason;
ALTER TABLE units DROP COLUMN succeeded_at;
ALTER TABLE units DROP COLUMN successor_id;
