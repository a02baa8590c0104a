-- What protects signing in: the rules of a committee for passwords, the passwords that were used
-- before, and what is remembered of refused sign-ins.

-- When somebody last worked in a sign-in; kept only where a sign-in ends when it is idle.
ALTER TABLE sign_ins ADD COLUMN last_seen_at TIMESTAMPTZ_TEXT;
CREATE INDEX sign_ins_expiry_idx ON sign_ins (committee_id, expires_at);

-- Without a row the defaults hold.
CREATE TABLE password_policies (
    committee_id UUID_BLOB NOT NULL,
    profile TEXT NOT NULL,
    min_length INTEGER NOT NULL,
    min_classes INTEGER NOT NULL,
    max_age_days INTEGER,
    history INTEGER NOT NULL,
    lock_after_failures INTEGER,
    lock_minutes INTEGER NOT NULL,
    idle_minutes INTEGER,
    version INTEGER NOT NULL,
    updated_at TIMESTAMPTZ_TEXT NOT NULL,
    CONSTRAINT password_policies_pkey PRIMARY KEY (committee_id),
    CONSTRAINT password_policies_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

-- Hashes of earlier passwords, as many as the policy of the committee asks for.
CREATE TABLE password_history (
    committee_id UUID_BLOB NOT NULL,
    user_id UUID_BLOB NOT NULL,
    number INTEGER NOT NULL,
    password_hash TEXT NOT NULL,
    CONSTRAINT password_history_pkey PRIMARY KEY (committee_id, user_id, number),
    CONSTRAINT password_history_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);

-- Refused sign-ins under a name or from an address, known by a hash only: a row says neither whose
-- it is nor whether there is such an account.
CREATE TABLE sign_in_throttles (
    committee_id UUID_BLOB NOT NULL,
    subject TEXT NOT NULL,
    failures INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    counted_from TIMESTAMPTZ_TEXT NOT NULL,
    last_failure_at TIMESTAMPTZ_TEXT NOT NULL,
    blocked_until TIMESTAMPTZ_TEXT,
    noted_at TIMESTAMPTZ_TEXT,
    CONSTRAINT sign_in_throttles_pkey PRIMARY KEY (committee_id, subject),
    CONSTRAINT sign_in_throttles_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);
CREATE INDEX sign_in_throttles_age_idx ON sign_in_throttles (committee_id, last_failure_at);
