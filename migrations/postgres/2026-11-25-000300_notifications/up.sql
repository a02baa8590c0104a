-- What people are told: inboxes, choices, mails.

-- How an account is told. Without a row: no address, everything as usual.
CREATE TABLE notification_settings (
    committee_id UUID NOT NULL,
    user_id UUID NOT NULL,
    -- Never shown to others than the account itself and administrators.
    email TEXT,
    language TEXT NOT NULL,
    -- For each group that is not told as usual: how.
    choices JSONB NOT NULL,
    version INTEGER NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT notification_settings_pkey PRIMARY KEY (committee_id, user_id),
    CONSTRAINT notification_settings_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);

-- Mails on their way: one for each reader and act, and one digest for each reader and day.
CREATE TABLE mails (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT NOT NULL,
    -- What it is about: the act, or the day of the digest.
    mail_key TEXT NOT NULL,
    status TEXT NOT NULL,
    -- What the server said last.
    last_answer TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT mails_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT mails_reader_key UNIQUE (committee_id, user_id, mail_key),
    CONSTRAINT mails_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
CREATE INDEX mails_status_idx ON mails (committee_id, status, id);

-- What an account was told. The words are made when it is shown, for whoever may read the case.
CREATE TABLE notifications (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    -- Name of the event or of the reminder.
    topic TEXT NOT NULL,
    topic_group TEXT NOT NULL,
    -- The event, or clock, step and due date of a reminder: nobody is told twice.
    source_key TEXT NOT NULL,
    proposal_id UUID NOT NULL,
    -- What a reminder says beside its topic.
    detail JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    -- Waits for the digest of this day, or a later one.
    digest_on DATE,
    mail_id UUID,
    CONSTRAINT notifications_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT notifications_source_key UNIQUE (committee_id, user_id, source_key),
    CONSTRAINT notifications_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id),
    CONSTRAINT notifications_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT notifications_mail_fkey FOREIGN KEY (committee_id, mail_id) REFERENCES mails (committee_id, id)
);
CREATE INDEX notifications_inbox_idx ON notifications (committee_id, user_id, id);
CREATE INDEX notifications_unread_idx ON notifications (committee_id, user_id) WHERE (read_at IS NULL);
CREATE INDEX notifications_digest_idx ON notifications (committee_id, digest_on, user_id) WHERE (digest_on IS NOT NULL);
CREATE INDEX notifications_mail_idx ON notifications (committee_id, mail_id) WHERE (mail_id IS NOT NULL);
CREATE INDEX notifications_read_idx ON notifications (committee_id, read_at) WHERE (read_at IS NOT NULL);
