-- Rows of a unit in the order of cases, as its lists are. How far a row is changes again and again, and
-- is looked for in few of them: it is no part of the index.
DROP INDEX assignments_unit_idx;
CREATE INDEX assignments_unit_idx ON assignments (committee_id, unit_id, proposal_id);

-- Its promises and the instructions for it in the same order.
CREATE INDEX promises_unit_case_idx ON promises (committee_id, unit_id, proposal_id);
CREATE INDEX follow_ups_unit_case_idx ON follow_ups (committee_id, unit_id, kind, proposal_id);
