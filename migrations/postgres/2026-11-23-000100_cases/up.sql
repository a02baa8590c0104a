-- A case: the proposal, its proposers, its examination, and the work of the units on it.

CREATE TABLE proposals (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    term_id UUID NOT NULL,
    session_id UUID NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Rises with every write on the case: the lock, and the ETag.
    version INTEGER NOT NULL,
    round INTEGER NOT NULL,
    serial_no INTEGER,
    case_no INTEGER,
    session_mark TEXT,
    title TEXT NOT NULL,
    -- The title folded for searching: compatibility-normalised and in lower case.
    title_folded TEXT NOT NULL,
    subject_class TEXT,
    assigning_line TEXT,
    handling_kind TEXT,
    secrecy TEXT NOT NULL,
    urgency TEXT NOT NULL,
    text_version INTEGER NOT NULL,
    -- Text version that was handed in last; 0 before the first submission.
    submitted_version INTEGER NOT NULL,
    -- How often it was handed in; examination opinions belong to one submission.
    submission_no INTEGER NOT NULL,
    profile_version INTEGER NOT NULL,
    organisation_id UUID,
    main_id UUID,
    created_by UUID NOT NULL,
    filed_at TIMESTAMPTZ,
    status_since TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    -- Head of the chain of events, so that a cut tail is noticed.
    event_seq INTEGER NOT NULL,
    event_hash TEXT NOT NULL,
    CONSTRAINT proposals_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT proposals_serial_key UNIQUE (committee_id, session_id, serial_no),
    CONSTRAINT proposals_case_key UNIQUE (committee_id, session_id, case_no),
    CONSTRAINT proposals_session_fkey FOREIGN KEY (committee_id, session_id) REFERENCES sessions (committee_id, id),
    CONSTRAINT proposals_organisation_fkey FOREIGN KEY (committee_id, organisation_id) REFERENCES organisations (committee_id, id)
);
CREATE INDEX proposals_status_idx ON proposals (committee_id, status, id);
CREATE INDEX proposals_session_idx ON proposals (committee_id, session_id, id);
CREATE INDEX proposals_class_idx ON proposals (committee_id, subject_class, id);
CREATE INDEX proposals_updated_idx ON proposals (committee_id, updated_at, id);
CREATE INDEX proposals_organisation_idx ON proposals (committee_id, organisation_id, id);

-- Every version of what the proposer wrote, kept side by side.
CREATE TABLE proposal_texts (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    version INTEGER NOT NULL,
    form JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT proposal_texts_pkey PRIMARY KEY (committee_id, proposal_id, version),
    CONSTRAINT proposal_texts_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);

CREATE TABLE proposers (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    member_id UUID,
    organisation_id UUID,
    name TEXT NOT NULL,
    sector TEXT,
    party TEXT,
    member_no TEXT,
    -- Text version the consent is bound to.
    consented_version INTEGER,
    comment TEXT,
    decided_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT proposers_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT proposers_member_key UNIQUE (committee_id, proposal_id, member_id),
    CONSTRAINT proposers_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT proposers_member_fkey FOREIGN KEY (committee_id, member_id) REFERENCES members (committee_id, id),
    CONSTRAINT proposers_organisation_fkey FOREIGN KEY (committee_id, organisation_id) REFERENCES organisations (committee_id, id)
);
CREATE INDEX proposers_proposal_idx ON proposers (committee_id, proposal_id, position);
CREATE INDEX proposers_member_idx ON proposers (committee_id, member_id, proposal_id);
CREATE INDEX proposers_organisation_idx ON proposers (committee_id, organisation_id, proposal_id);

CREATE TABLE opinions (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    submission_no INTEGER NOT NULL,
    stage TEXT NOT NULL,
    examiner_id UUID NOT NULL,
    recommendation TEXT NOT NULL,
    content JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT opinions_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT opinions_stage_key UNIQUE (committee_id, proposal_id, submission_no, stage),
    CONSTRAINT opinions_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);

-- Decisions on a case: returned, filed, refused, assigned, closed; with meeting and reasons.
CREATE TABLE decisions (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    kind TEXT NOT NULL,
    round INTEGER NOT NULL,
    content JSONB NOT NULL,
    decided_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT decisions_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX decisions_proposal_idx ON decisions (committee_id, proposal_id, id);

CREATE TABLE assignments (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    unit_id UUID NOT NULL,
    unit_name TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    part TEXT,
    returnable BOOLEAN NOT NULL,
    deemed BOOLEAN NOT NULL,
    accepted_at TIMESTAMPTZ,
    clerk_name TEXT,
    clerk_phone TEXT,
    opinion_missing BOOLEAN NOT NULL,
    -- Versions of the co-handler's opinion.
    opinions INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT assignments_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT assignments_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT assignments_unit_fkey FOREIGN KEY (committee_id, unit_id) REFERENCES units (committee_id, id)
);
CREATE INDEX assignments_proposal_idx ON assignments (committee_id, proposal_id, round, position);
CREATE INDEX assignments_unit_idx ON assignments (committee_id, unit_id, status, proposal_id);

CREATE TABLE contacts (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    assignment_id UUID NOT NULL,
    content JSONB NOT NULL,
    recorded_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT contacts_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT contacts_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX contacts_proposal_idx ON contacts (committee_id, proposal_id, id);

CREATE TABLE co_opinions (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    assignment_id UUID NOT NULL,
    version INTEGER NOT NULL,
    content JSONB NOT NULL,
    submitted_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT co_opinions_pkey PRIMARY KEY (committee_id, assignment_id, version),
    CONSTRAINT co_opinions_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX co_opinions_proposal_idx ON co_opinions (committee_id, proposal_id);

CREATE TABLE replies (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    assignment_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    round INTEGER NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    text_version INTEGER NOT NULL,
    approved BOOLEAN NOT NULL,
    -- The unit's, the reviewer's and the current outcome are three values (I14).
    unit_outcome TEXT,
    reviewer_outcome TEXT,
    current_outcome TEXT,
    document_prefix TEXT,
    document_year INTEGER,
    document_number INTEGER,
    signed_by UUID,
    signatory TEXT,
    signed_hash TEXT,
    signed_at TIMESTAMPTZ,
    reviewed_by UUID,
    review_note TEXT,
    delivered_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT replies_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT replies_document_key UNIQUE (committee_id, unit_id, document_prefix, document_year, document_number),
    CONSTRAINT replies_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX replies_proposal_idx ON replies (committee_id, proposal_id, round);
CREATE INDEX replies_unit_idx ON replies (committee_id, unit_id, status, id);

CREATE TABLE reply_texts (
    committee_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    version INTEGER NOT NULL,
    form JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT reply_texts_pkey PRIMARY KEY (committee_id, reply_id, version),
    CONSTRAINT reply_texts_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id)
);

-- Requests to co-handlers to countersign the present text of a reply.
CREATE TABLE countersigns (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    assignment_id UUID NOT NULL,
    status TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    remarks TEXT,
    signatory TEXT,
    answered_at TIMESTAMPTZ,
    CONSTRAINT countersigns_pkey PRIMARY KEY (committee_id, reply_id, assignment_id),
    CONSTRAINT countersigns_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id),
    CONSTRAINT countersigns_assignment_fkey FOREIGN KEY (committee_id, assignment_id) REFERENCES assignments (committee_id, id)
);
CREATE INDEX countersigns_proposal_idx ON countersigns (committee_id, proposal_id);

-- Cases that go on being followed although they were answered.
CREATE TABLE trackings (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    stopped_at TIMESTAMPTZ,
    CONSTRAINT trackings_pkey PRIMARY KEY (committee_id, proposal_id),
    CONSTRAINT trackings_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);

CREATE TABLE promises (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    person TEXT NOT NULL,
    due_on DATE NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT promises_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT promises_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id)
);
CREATE INDEX promises_proposal_idx ON promises (committee_id, proposal_id, id);
CREATE INDEX promises_unit_idx ON promises (committee_id, unit_id, status, due_on, id);

-- Opinion forms: one per reply and rater, every version kept (I20).
CREATE TABLE feedback_forms (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    reply_id UUID NOT NULL,
    rater_id UUID NOT NULL,
    version INTEGER NOT NULL,
    round INTEGER NOT NULL,
    attitude TEXT NOT NULL,
    result TEXT NOT NULL,
    late BOOLEAN NOT NULL,
    content JSONB NOT NULL,
    entered_by UUID NOT NULL,
    by_staff BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT feedback_forms_pkey PRIMARY KEY (committee_id, reply_id, rater_id, version),
    CONSTRAINT feedback_forms_reply_fkey FOREIGN KEY (committee_id, reply_id) REFERENCES replies (committee_id, id),
    CONSTRAINT feedback_forms_rater_fkey FOREIGN KEY (committee_id, rater_id) REFERENCES proposers (committee_id, id)
);
CREATE INDEX feedback_forms_proposal_idx ON feedback_forms (committee_id, proposal_id);
