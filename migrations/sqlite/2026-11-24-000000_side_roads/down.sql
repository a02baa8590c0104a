CREATE TABLE countersigns (
    committee_id UUID_BLOB NOT NULL,
    proposal_id UUID_BLOB NOT NULL,
    reply_id UUID_BLOB NOT NULL,
    assignment_id UUID_BLOB NOT NULL,
    status TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    remarks TEXT,
    signatory TEXT,
    answered_at TIMESTAMPTZ_TEXT,
    CONSTRAINT countersigns_pkey PRIMARY KEY (committee_id, reply_id, assignment_id),
    CONSTRAINT countersigns_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id),
    CONSTRAINT countersigns_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX countersigns_proposal_idx ON countersigns (committee_id, proposal_id);
DROP TABLE countersign_requests;
DROP TABLE deliveries;
DROP TABLE case_links;
DROP TABLE merges;
DROP TABLE consultations;
DROP TABLE requests;
DROP TABLE case_marks;
DROP INDEX proposals_main_idx;
ALTER TABLE clocks DROP COLUMN changes;
ALTER TABLE replies DROP COLUMN rejected_hash;
ALTER TABLE replies DROP COLUMN signed_by_head;
ALTER TABLE replies DROP COLUMN coordination;
ALTER TABLE replies DROP COLUMN coordinated_hash;
ALTER TABLE contacts DROP COLUMN objection;
ALTER TABLE contacts DROP COLUMN way;
ALTER TABLE assignments DROP COLUMN replaced_by;
ALTER TABLE assignments DROP COLUMN carried_over;
ALTER TABLE proposers DROP COLUMN waived_round;
ALTER TABLE proposers DROP COLUMN excused;
