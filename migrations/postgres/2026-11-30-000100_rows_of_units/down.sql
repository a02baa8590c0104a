DROP INDEX follow_ups_unit_case_idx;
DROP INDEX promises_unit_case_idx;
DROP INDEX assignments_unit_idx;
CREATE INDEX assignments_unit_idx ON assignments (committee_id, unit_id, status, proposal_id);
