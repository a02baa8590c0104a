ALTER TABLE proposals DROP CONSTRAINT proposals_case_key;
ALTER TABLE proposals ADD CONSTRAINT proposals_case_key UNIQUE (committee_id, session_id, case_no);
ALTER TABLE proposals DROP COLUMN case_series;
