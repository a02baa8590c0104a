-- The second factor of an account: one secret for time-based codes, pending until a code of it was
-- shown. `last_step` is the thirty seconds whose code was used last: none is taken twice.
ALTER TABLE sign_ins ADD COLUMN second_factor_at TIMESTAMPTZ;
CREATE TABLE second_factors (
    committee_id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret TEXT NOT NULL,
    confirmed_at TIMESTAMPTZ,
    last_step BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    held_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT second_factors_pkey PRIMARY KEY (committee_id, user_id),
    CONSTRAINT second_factors_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
-- Codes for whoever lost the device, each good for one time.
CREATE TABLE recovery_codes (
    committee_id UUID NOT NULL,
    user_id UUID NOT NULL,
    code_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (committee_id, user_id, code_hash),
    CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
-- Sign-ins that wait for the second factor, after the first was right.
CREATE TABLE sign_in_challenges (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    ticket_hash TEXT NOT NULL,
    account_version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT sign_in_challenges_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT sign_in_challenges_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
CREATE INDEX sign_in_challenges_user_idx ON sign_in_challenges (committee_id, user_id, expires_at);
