-- Units that were taken over in a reorganisation: by which one, when, and why.
ALTER TABLE units ADD COLUMN successor_id UUID;
ALTER TABLE units ADD COLUMN succeeded_at TIMESTAMPTZ;
ALTER TABLE units ADD COLUMN succession_reason TEXT;
CREATE INDEX units_successor_idx ON units (committee_id, successor_id);
