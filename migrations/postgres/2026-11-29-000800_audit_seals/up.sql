-- The audit trail: heads that are sealed and signed, checks of the whole, and no way to change what
-- was written.

-- Keys that sign seals. What a retired key signed is verified with it for ever; its private half is
-- forgotten.
CREATE TABLE seal_keys (
    kid TEXT NOT NULL,
    private_key BYTEA,
    public_key BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    retired_at TIMESTAMPTZ,
    CONSTRAINT seal_keys_pkey PRIMARY KEY (kid)
);

-- One after the other, each over the one before and over the ends of all chains that grew since.
CREATE TABLE audit_seals (
    committee_id UUID NOT NULL,
    number INTEGER NOT NULL,
    sealed_at TIMESTAMPTZ NOT NULL,
    -- The last event that was looked at.
    until_id UUID NOT NULL,
    -- Events and chains that are new under this seal.
    events BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    root TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    kid TEXT NOT NULL,
    signature TEXT NOT NULL,
    CONSTRAINT audit_seals_pkey PRIMARY KEY (committee_id, number),
    CONSTRAINT audit_seals_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

-- Where the chains ended under each seal.
CREATE TABLE audit_seal_heads (
    committee_id UUID NOT NULL,
    stream_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    seal_number INTEGER NOT NULL,
    CONSTRAINT audit_seal_heads_pkey PRIMARY KEY (committee_id, stream_id, seq),
    CONSTRAINT audit_seal_heads_seal_fkey FOREIGN KEY (committee_id, seal_number) REFERENCES audit_seals (committee_id, number)
);
CREATE INDEX audit_seal_heads_seal_idx ON audit_seal_heads (committee_id, seal_number, stream_id);

-- Checks of the whole trail that an auditor asked for.
CREATE TABLE audit_checks (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    requested_by UUID NOT NULL,
    status TEXT NOT NULL,
    -- The exported seal that it is compared with.
    head_number INTEGER,
    head_hash TEXT,
    -- What was found so far.
    report JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT audit_checks_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT audit_checks_user_fkey FOREIGN KEY (committee_id, requested_by) REFERENCES users (committee_id, id)
);

-- What auditors search by.
CREATE INDEX events_actor_idx ON events (committee_id, actor_id, id);
CREATE INDEX events_name_idx ON events (committee_id, name, id);
CREATE INDEX events_request_idx ON events (committee_id, request_id, id);

-- Append-only: nothing of these tables is changed or deleted.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_no_update BEFORE UPDATE ON feed
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_no_delete BEFORE DELETE ON feed
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_no_truncate BEFORE TRUNCATE ON feed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_heads_no_update BEFORE UPDATE ON audit_seal_heads
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_heads_no_delete BEFORE DELETE ON audit_seal_heads
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_heads_no_truncate BEFORE TRUNCATE ON audit_seal_heads
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
