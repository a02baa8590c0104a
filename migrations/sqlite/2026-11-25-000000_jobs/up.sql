-- Work that is done after the answer, what waits to be told, and the feed of what happened.

-- When time next does something to the clock by itself; NULL: never, as far as is known.
ALTER TABLE clocks ADD COLUMN wake_at TIMESTAMPTZ_TEXT;
-- A job stands for that moment already.
ALTER TABLE clocks ADD COLUMN woken BOOLEAN NOT NULL DEFAULT FALSE;
-- Those that run already are looked at once.
UPDATE clocks SET wake_at = started_at WHERE stopped_at IS NULL;
CREATE INDEX clocks_wake_idx ON clocks (woken, wake_at) WHERE (wake_at IS NOT NULL);

-- Work for one worker at a time. A claim moves run_at to the end of its lease, so that work whose
-- worker died becomes due again by itself.
CREATE TABLE jobs (
    committee_id UUID_BLOB NOT NULL,
    id UUID_BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- The queue with threads of its own in which it waits.
    lane TEXT NOT NULL,
    -- What it is about: a kind has one job for each.
    job_key TEXT NOT NULL,
    payload JSONB_TEXT NOT NULL,
    run_at TIMESTAMPTZ_TEXT NOT NULL,
    -- Wanted again while it ran: the moment.
    again_at TIMESTAMPTZ_TEXT,
    attempts INTEGER NOT NULL,
    -- The claim that holds it.
    lease_id UUID_BLOB,
    last_error TEXT,
    -- Given up after the last attempt.
    dead_at TIMESTAMPTZ_TEXT,
    created_at TIMESTAMPTZ_TEXT NOT NULL,
    CONSTRAINT jobs_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT jobs_work_key UNIQUE (committee_id, kind, job_key),
    CONSTRAINT jobs_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);
CREATE INDEX jobs_due_idx ON jobs (lane, run_at) WHERE (dead_at IS NULL);
CREATE INDEX jobs_dead_idx ON jobs (committee_id, dead_at, id) WHERE (dead_at IS NOT NULL);

-- Events of one act on their way to the feed and to those who are told, written with the act.
CREATE TABLE outbox (
    committee_id UUID_BLOB NOT NULL,
    id UUID_BLOB NOT NULL,
    -- Order in which acts reached the table.
    position BIGINT NOT NULL,
    stream_id UUID_BLOB NOT NULL,
    stream_kind TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    -- For each event: who is told.
    told JSONB_TEXT NOT NULL,
    created_at TIMESTAMPTZ_TEXT NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (committee_id, id)
);
CREATE INDEX outbox_position_idx ON outbox (committee_id, position);

-- Every event once more in the order of commits, numbered without a gap in each committee.
CREATE TABLE feed (
    committee_id UUID_BLOB NOT NULL,
    position BIGINT NOT NULL,
    stream_id UUID_BLOB NOT NULL,
    stream_kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    CONSTRAINT feed_pkey PRIMARY KEY (committee_id, position),
    CONSTRAINT feed_event_fkey FOREIGN KEY (committee_id, stream_id, seq) REFERENCES events (committee_id, stream_id, seq)
);
