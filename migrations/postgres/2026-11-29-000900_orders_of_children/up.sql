-- What belongs to a case is read by the case and in an order. With both in one index no planner takes
-- the primary key for the sake of the order and reads the whole committee.
CREATE INDEX opinions_proposal_idx ON opinions (committee_id, proposal_id, id);

DROP INDEX feedback_forms_proposal_idx;
CREATE INDEX feedback_forms_proposal_idx ON feedback_forms (committee_id, proposal_id, reply_id, rater_id, version);

DROP INDEX countersign_requests_proposal_idx;
CREATE INDEX countersign_requests_proposal_idx
    ON countersign_requests (committee_id, proposal_id, reply_id, attempt, assignment_id);

-- The sweep of what is left over looks for few among many.
CREATE INDEX attachments_status_idx ON attachments (status, stored, created_at);
