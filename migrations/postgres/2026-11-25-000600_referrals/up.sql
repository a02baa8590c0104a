-- Cases sent to committees above and below: a row on each side. The side that gets one keeps a copy
-- of what it was sent; the identifier is the same on both.

ALTER TABLE case_marks ADD COLUMN has_referrals BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE referrals (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    direction TEXT NOT NULL,
    -- A committee of this service; none for a body outside of it.
    target_id UUID,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    sent_by UUID NOT NULL,
    sent_at TIMESTAMPTZ NOT NULL,
    -- The proposal of the other committee.
    counterpart_id UUID,
    answer JSONB,
    CONSTRAINT referrals_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT referrals_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX referrals_proposal_idx ON referrals (committee_id, proposal_id, id);
CREATE INDEX referrals_status_idx ON referrals (committee_id, status, id);

CREATE TABLE incoming_referrals (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    -- Who sent it, and which of its cases.
    sender_id UUID NOT NULL,
    sender_name TEXT NOT NULL,
    sender_proposal_id UUID NOT NULL,
    direction TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    content JSONB NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    -- What it became here.
    proposal_id UUID,
    note TEXT,
    answered_by UUID,
    answered_at TIMESTAMPTZ,
    CONSTRAINT incoming_referrals_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT incoming_referrals_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX incoming_referrals_status_idx ON incoming_referrals (committee_id, status, id);
