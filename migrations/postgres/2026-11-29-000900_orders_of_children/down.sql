DROP INDEX attachments_status_idx;

DROP INDEX countersign_requests_proposal_idx;
CREATE INDEX countersign_requests_proposal_idx ON countersign_requests (committee_id, proposal_id);

DROP INDEX feedback_forms_proposal_idx;
CREATE INDEX feedback_forms_proposal_idx ON feedback_forms (committee_id, proposal_id);

DROP INDEX opinions_proposal_idx;
