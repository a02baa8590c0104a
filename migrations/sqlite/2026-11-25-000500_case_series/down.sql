-- A constraint cannot be changed here: the table is made anew. What refers to it finds its rows
-- again before the transaction ends.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE proposals_kept AS SELECT committee_id, id, term_id, session_id, kind, status, version, round, serial_no, case_no, session_mark, title, title_folded, subject_class, assigning_line, handling_kind, secrecy, urgency, text_version, submitted_version, submission_no, profile_version, organisation_id, main_id, created_by, filed_at, status_since, created_at, updated_at, event_seq, event_hash FROM proposals;
DROP TABLE proposals;
CREATE TABLE proposals (
    committee_id UUID_BLOB NOT NULL,
    id UUID_BLOB NOT NULL,
    term_id UUID_BLOB NOT NULL,
    session_id UUID_BLOB NOT NULL,
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
    organisation_id UUID_BLOB,
    main_id UUID_BLOB,
    created_by UUID_BLOB NOT NULL,
    filed_at TIMESTAMPTZ_TEXT,
    status_since TIMESTAMPTZ_TEXT NOT NULL,
    created_at TIMESTAMPTZ_TEXT NOT NULL,
    updated_at TIMESTAMPTZ_TEXT NOT NULL,
    -- Head of the chain of events, so that a cut tail is noticed.
    event_seq INTEGER NOT NULL,
    event_hash TEXT NOT NULL,
    CONSTRAINT proposals_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT proposals_serial_key UNIQUE (committee_id, session_id, serial_no),
    CONSTRAINT proposals_case_key UNIQUE (committee_id, session_id, case_no),
    CONSTRAINT proposals_session_fkey FOREIGN KEY (committee_id, session_id) REFERENCES sessions (committee_id, id),
    CONSTRAINT proposals_organisation_fkey FOREIGN KEY (committee_id, organisation_id) REFERENCES organisations (committee_id, id)
);
INSERT INTO proposals (committee_id, id, term_id, session_id, kind, status, version, round, serial_no, case_no, session_mark, title, title_folded, subject_class, assigning_line, handling_kind, secrecy, urgency, text_version, submitted_version, submission_no, profile_version, organisation_id, main_id, created_by, filed_at, status_since, created_at, updated_at, event_seq, event_hash)
SELECT committee_id, id, term_id, session_id, kind, status, version, round, serial_no, case_no, session_mark, title, title_folded, subject_class, assigning_line, handling_kind, secrecy, urgency, text_version, submitted_version, submission_no, profile_version, organisation_id, main_id, created_by, filed_at, status_since, created_at, updated_at, event_seq, event_hash FROM proposals_kept;
DROP TABLE proposals_kept;
CREATE INDEX proposals_status_idx ON proposals (committee_id, status, id);
CREATE INDEX proposals_session_idx ON proposals (committee_id, session_id, id);
CREATE INDEX proposals_class_idx ON proposals (committee_id, subject_class, id);
CREATE INDEX proposals_updated_idx ON proposals (committee_id, updated_at, id);
CREATE INDEX proposals_organisation_idx ON proposals (committee_id, organisation_id, id);
CREATE INDEX proposals_main_idx ON proposals (committee_id, main_id, id);
