-- What the side roads of a case need: requests, consultations, merging, further rounds.

ALTER TABLE proposers ADD COLUMN excused TEXT;
ALTER TABLE proposers ADD COLUMN waived_round INTEGER;
ALTER TABLE assignments ADD COLUMN carried_over BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE assignments ADD COLUMN replaced_by UUID;
ALTER TABLE contacts ADD COLUMN way TEXT NOT NULL DEFAULT 'none';
ALTER TABLE contacts ADD COLUMN objection TEXT;
UPDATE contacts SET way = content ->> 'way';
ALTER TABLE replies ADD COLUMN coordinated_hash TEXT;
ALTER TABLE replies ADD COLUMN coordination TEXT;
ALTER TABLE replies ADD COLUMN signed_by_head BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE replies ADD COLUMN rejected_hash TEXT;
-- Pauses and extensions, in order of time.
ALTER TABLE clocks ADD COLUMN changes JSONB NOT NULL DEFAULT '[]';
CREATE INDEX proposals_main_idx ON proposals (committee_id, main_id, id);

-- What is noted about a case and is no status. Most cases have no row here; the flags tell
-- which further tables are worth a look.
CREATE TABLE case_marks (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    archived_at TIMESTAMPTZ,
    tier TEXT,
    publish_text TEXT,
    publish_replies TEXT,
    disposed_at TIMESTAMPTZ,
    open_for_seconding BOOLEAN NOT NULL,
    has_requests BOOLEAN NOT NULL,
    has_consultations BOOLEAN NOT NULL,
    has_absorbed BOOLEAN NOT NULL,
    CONSTRAINT case_marks_pkey PRIMARY KEY (committee_id, proposal_id),
    CONSTRAINT case_marks_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);

-- What somebody asked for on a case, and what was decided.
CREATE TABLE requests (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    assignment_id UUID,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    escalated BOOLEAN NOT NULL,
    form JSONB NOT NULL,
    decision JSONB,
    requested_by UUID NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT requests_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT requests_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX requests_proposal_idx ON requests (committee_id, proposal_id, id);
CREATE INDEX requests_status_idx ON requests (committee_id, status, kind, id);

CREATE TABLE consultations (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    round INTEGER NOT NULL,
    form TEXT NOT NULL,
    held_on DATE NOT NULL,
    content JSONB NOT NULL,
    recorded_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT consultations_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT consultations_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX consultations_proposal_idx ON consultations (committee_id, proposal_id, id);

-- Merges and how the absorbed proposal was before, so that they can be undone exactly (I18).
CREATE TABLE merges (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    main_id UUID NOT NULL,
    before JSONB NOT NULL,
    content JSONB NOT NULL,
    decided_by UUID NOT NULL,
    merged_at TIMESTAMPTZ NOT NULL,
    unmerged_at TIMESTAMPTZ,
    CONSTRAINT merges_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT merges_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT merges_main_fkey FOREIGN KEY (committee_id, main_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX merges_proposal_idx ON merges (committee_id, proposal_id, id);
CREATE INDEX merges_main_idx ON merges (committee_id, main_id, id);

-- Links between cases without merging.
CREATE TABLE case_links (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    other_id UUID NOT NULL,
    kind TEXT NOT NULL,
    note TEXT,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT case_links_pkey PRIMARY KEY (committee_id, proposal_id, other_id, kind),
    CONSTRAINT case_links_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT case_links_other_fkey FOREIGN KEY (committee_id, other_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX case_links_other_idx ON case_links (committee_id, other_id, proposal_id);

-- A reply reaches the proposers of every proposal of a merge group, each with its own receipt.
CREATE TABLE deliveries (
    committee_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    delivered_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT deliveries_pkey PRIMARY KEY (committee_id, reply_id, proposal_id),
    CONSTRAINT deliveries_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id),
    CONSTRAINT deliveries_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX deliveries_proposal_idx ON deliveries (committee_id, proposal_id, reply_id);
INSERT INTO deliveries (committee_id, reply_id, proposal_id, delivered_at)
    SELECT committee_id, id, proposal_id, delivered_at FROM replies WHERE delivered_at IS NOT NULL;

-- Requests to countersign, of every text of a reply; the table before kept the last ones only.
CREATE TABLE countersign_requests (
    committee_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    assignment_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    proposal_id UUID NOT NULL,
    status TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    remarks TEXT,
    signatory TEXT,
    answered_at TIMESTAMPTZ,
    CONSTRAINT countersign_requests_pkey PRIMARY KEY (committee_id, reply_id, assignment_id, attempt),
    CONSTRAINT countersign_requests_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id),
    CONSTRAINT countersign_requests_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX countersign_requests_proposal_idx ON countersign_requests (committee_id, proposal_id);
INSERT INTO countersign_requests (committee_id, reply_id, assignment_id, attempt, proposal_id, status, content_hash, remarks, signatory, answered_at)
    SELECT committee_id, reply_id, assignment_id, 1, proposal_id, status, content_hash, remarks, signatory, answered_at FROM countersigns;
DROP TABLE countersigns;
