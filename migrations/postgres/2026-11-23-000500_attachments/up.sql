-- Files that go with the texts of a case. Their content lies in the file storage, under a key made
-- of the committee, the checksum and the identifier.
CREATE TABLE attachments (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
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
    bound_id UUID,
    bound_rater_id UUID,
    uploaded_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    bound_at TIMESTAMPTZ,
    removed_at TIMESTAMPTZ,
    CONSTRAINT attachments_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT attachments_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT attachments_uploaded_by_fkey FOREIGN KEY (committee_id, uploaded_by) REFERENCES users (committee_id, id)
);
CREATE INDEX attachments_proposal_idx ON attachments (committee_id, proposal_id, id);
