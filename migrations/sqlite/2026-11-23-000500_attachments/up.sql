-- Files that go with the texts of a case. Their content lies in the file storage, under a key made
-- of the committee, the checksum and the identifier.
CREATE TABLE attachments (
    committee_id UUID_BLOB NOT NULL,
    id UUID_BLOB NOT NULL,
    proposal_id UUID_BLOB NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    file_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    -- Whether the storage may hold the content: true from before it is written until it is deleted.
    stored BOOLEAN NOT NULL,
    -- The text it goes with, once an act has named it.
    bound_kind TEXT,
    bound_id UUID_BLOB,
    bound_rater_id UUID_BLOB,
    uploaded_by UUID_BLOB NOT NULL,
    created_at TIMESTAMPTZ_TEXT NOT NULL,
    bound_at TIMESTAMPTZ_TEXT,
    removed_at TIMESTAMPTZ_TEXT,
    CONSTRAINT attachments_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT attachments_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT attachments_uploaded_by_fkey FOREIGN KEY (committee_id, uploaded_by) REFERENCES users (committee_id, id)
);
CREATE INDEX attachments_proposal_idx ON attachments (committee_id, proposal_id, id);
