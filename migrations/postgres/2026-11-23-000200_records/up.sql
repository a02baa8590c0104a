-- What keeps the cases honest: clocks, desks, numbers, the audit trail, idempotency keys.

-- I23: kind, start, limit, profile and calendar version, original and current due date.
CREATE TABLE clocks (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    kind TEXT NOT NULL,
    -- The proposer, assignment or reply it runs for, or the proposal itself.
    subject_id UUID NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    -- Such as "5 wd", or the fixed date the due date was set to.
    time_limit TEXT NOT NULL,
    profile_version INTEGER NOT NULL,
    calendar_version INTEGER NOT NULL,
    provisional BOOLEAN NOT NULL,
    original_due TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    stopped_at TIMESTAMPTZ,
    CONSTRAINT clocks_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT clocks_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX clocks_proposal_idx ON clocks (committee_id, proposal_id, id);

-- What waits for whom: derived from each case after every act, read by desks.
CREATE TABLE duties (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    audience TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    -- Far in the future where nothing is due.
    due_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT duties_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT duties_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id)
);
CREATE INDEX duties_audience_idx ON duties (committee_id, audience, due_at, id);
CREATE INDEX duties_proposal_idx ON duties (committee_id, proposal_id);

-- Gap-free numbers: allotted in the transaction of the act, so a failed act consumes none.
CREATE TABLE number_series (
    committee_id UUID NOT NULL,
    series TEXT NOT NULL,
    last_number INTEGER NOT NULL,
    CONSTRAINT number_series_pkey PRIMARY KEY (committee_id, series)
);

-- The audit trail (I33): append-only, hash-chained per stream.
CREATE TABLE events (
    committee_id UUID NOT NULL,
    stream_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    id UUID NOT NULL,
    stream_kind TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    actor_id UUID,
    actor_name TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    on_behalf_of TEXT,
    name TEXT NOT NULL,
    rule TEXT,
    request_id UUID,
    content JSONB NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (committee_id, stream_id, seq),
    CONSTRAINT events_id_key UNIQUE (committee_id, id),
    CONSTRAINT events_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

-- Finished requests by key: stored in the transaction of their effect.
CREATE TABLE idempotency_keys (
    committee_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    body JSONB NOT NULL,
    etag TEXT,
    location TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (committee_id, principal_id, operation, idempotency_key),
    CONSTRAINT idempotency_keys_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (committee_id, created_at);
