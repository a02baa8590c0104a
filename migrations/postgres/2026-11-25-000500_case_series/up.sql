-- Case numbers in two series, where the policy numbers ordinary proposals apart.

ALTER TABLE proposals ADD COLUMN case_series TEXT NOT NULL DEFAULT 'main';
ALTER TABLE proposals DROP CONSTRAINT proposals_case_key;
ALTER TABLE proposals ADD CONSTRAINT proposals_case_key UNIQUE (committee_id, session_id, case_series, case_no);
