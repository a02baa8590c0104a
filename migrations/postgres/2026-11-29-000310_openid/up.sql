-- Identity providers of a committee (OpenID Connect), and whose subjects are whose accounts.
CREATE TABLE openid_providers (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret TEXT,
    redirect_uri TEXT NOT NULL,
    claim TEXT NOT NULL,
    second_factor TEXT,
    enabled BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT openid_providers_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT openid_providers_name_key UNIQUE (committee_id, name)
);
CREATE TABLE openid_links (
    committee_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    user_id UUID NOT NULL,
    subject TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT openid_links_pkey PRIMARY KEY (committee_id, provider_id, user_id),
    CONSTRAINT openid_links_subject_key UNIQUE (committee_id, provider_id, subject),
    CONSTRAINT openid_links_provider_fkey FOREIGN KEY (committee_id, provider_id) REFERENCES openid_providers (committee_id, id),
    CONSTRAINT openid_links_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
-- Sign-ins under way at a provider: state, nonce and code verifier, each good for one time.
CREATE TABLE openid_flows (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    provider_id UUID NOT NULL,
    ticket_hash TEXT NOT NULL,
    nonce TEXT NOT NULL,
    code_verifier TEXT NOT NULL,
    provider_version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT openid_flows_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT openid_flows_provider_fkey FOREIGN KEY (committee_id, provider_id) REFERENCES openid_providers (committee_id, id)
);
CREATE INDEX openid_flows_provider_idx ON openid_flows (committee_id, provider_id, expires_at);
-- By which provider a sign-in came; NULL: by password.
ALTER TABLE sign_ins ADD COLUMN provider_id UUID;
ALTER TABLE sign_in_challenges ADD COLUMN provider_id UUID;
