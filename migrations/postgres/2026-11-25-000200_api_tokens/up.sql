-- Tokens of machine clients. Each has an account of its own (same UUID), which cannot sign in: so
-- events, answers and files name it like anybody else.
ALTER TABLE users ADD COLUMN machine BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE api_tokens (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    previous_hash TEXT,
    previous_until TIMESTAMPTZ,
    operations JSONB,
    expires_at TIMESTAMPTZ NOT NULL,
    rotated_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    created_by UUID NOT NULL,
    created_by_name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT api_tokens_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT api_tokens_account_fkey FOREIGN KEY (committee_id, id) REFERENCES users (committee_id, id)
);
