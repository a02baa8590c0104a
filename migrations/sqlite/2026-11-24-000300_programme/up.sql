-- The yearly programme, and what is published.

ALTER TABLE case_marks ADD COLUMN programme_year INTEGER;
ALTER TABLE case_marks ADD COLUMN published_text TEXT;
ALTER TABLE case_marks ADD COLUMN text_published_at TIMESTAMPTZ_TEXT;
ALTER TABLE case_marks ADD COLUMN published_replies TEXT;
ALTER TABLE case_marks ADD COLUMN replies_published_at TIMESTAMPTZ_TEXT;
CREATE INDEX case_marks_programme_idx ON case_marks (committee_id, programme_year, tier, proposal_id);
