-- Committees, their registers and their accounts. Every table but the first two is keyed by
-- committee_id first, so that the data can be spread by committee.

-- Directory of the tenants: a tree from the national level down to the county.
CREATE TABLE committees (
    id UUID NOT NULL,
    parent_id UUID,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT NOT NULL,
    region TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT committees_pkey PRIMARY KEY (id),
    CONSTRAINT committees_code_key UNIQUE (code),
    CONSTRAINT committees_parent_fkey FOREIGN KEY (parent_id) REFERENCES committees (id)
);
CREATE INDEX committees_parent_idx ON committees (parent_id, id);

-- Keys that sign access tokens; two live side by side while they rotate.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL,
    private_key BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    refresh_secret BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    retired_at TIMESTAMPTZ,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (kid)
);

CREATE TABLE terms (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT terms_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT terms_number_key UNIQUE (committee_id, number),
    CONSTRAINT terms_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

CREATE TABLE sessions (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    term_id UUID NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    window_opens_on DATE NOT NULL,
    opens_on DATE NOT NULL,
    deadline_at TIMESTAMPTZ NOT NULL,
    ends_on DATE NOT NULL,
    examination_until DATE NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT sessions_number_key UNIQUE (committee_id, term_id, number),
    CONSTRAINT sessions_term_fkey FOREIGN KEY (committee_id, term_id) REFERENCES terms (committee_id, id)
);

CREATE TABLE organisations (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    contact_person TEXT,
    contact_phone TEXT,
    address TEXT,
    post_code TEXT,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT organisations_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT organisations_name_key UNIQUE (committee_id, name),
    CONSTRAINT organisations_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

CREATE TABLE members (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    term_id UUID NOT NULL,
    member_no TEXT NOT NULL,
    name TEXT NOT NULL,
    sector TEXT NOT NULL,
    party TEXT,
    organisation_id UUID,
    post TEXT,
    phone TEXT,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT members_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT members_no_key UNIQUE (committee_id, term_id, member_no),
    CONSTRAINT members_term_fkey FOREIGN KEY (committee_id, term_id) REFERENCES terms (committee_id, id),
    CONSTRAINT members_organisation_fkey FOREIGN KEY (committee_id, organisation_id) REFERENCES organisations (committee_id, id)
);
CREATE INDEX members_name_idx ON members (committee_id, name, id);

CREATE TABLE units (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    system_line TEXT NOT NULL,
    reply_prefix TEXT NOT NULL,
    contact_person TEXT,
    contact_phone TEXT,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT units_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT units_name_key UNIQUE (committee_id, name),
    CONSTRAINT units_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

CREATE TABLE users (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    member_id UUID,
    password_hash TEXT,
    must_change_password BOOLEAN NOT NULL,
    password_changed_at TIMESTAMPTZ,
    disabled BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT users_username_key UNIQUE (committee_id, username),
    CONSTRAINT users_member_key UNIQUE (committee_id, member_id),
    CONSTRAINT users_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id),
    CONSTRAINT users_member_fkey FOREIGN KEY (committee_id, member_id) REFERENCES members (committee_id, id)
);

-- A role held by an account, narrowed to a unit, a line or an organisation where the role asks it.
CREATE TABLE user_roles (
    committee_id UUID NOT NULL,
    user_id UUID NOT NULL,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    unit_id UUID,
    organisation_id UUID,
    line TEXT,
    CONSTRAINT user_roles_pkey PRIMARY KEY (committee_id, user_id, position),
    CONSTRAINT user_roles_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id),
    CONSTRAINT user_roles_unit_fkey FOREIGN KEY (committee_id, unit_id) REFERENCES units (committee_id, id),
    CONSTRAINT user_roles_organisation_fkey FOREIGN KEY (committee_id, organisation_id) REFERENCES organisations (committee_id, id)
);
CREATE INDEX user_roles_unit_idx ON user_roles (committee_id, unit_id, user_id);

-- One row per sign-in: the family of its refresh tokens.
CREATE TABLE sign_ins (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    end_reason TEXT,
    CONSTRAINT sign_ins_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT sign_ins_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
CREATE INDEX sign_ins_user_idx ON sign_ins (committee_id, user_id, id);

CREATE TABLE refresh_tokens (
    committee_id UUID NOT NULL,
    sign_in_id UUID NOT NULL,
    token_hash TEXT NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (committee_id, token_hash),
    CONSTRAINT refresh_tokens_sign_in_fkey FOREIGN KEY (committee_id, sign_in_id) REFERENCES sign_ins (committee_id, id)
);
CREATE INDEX refresh_tokens_sign_in_idx ON refresh_tokens (committee_id, sign_in_id);
