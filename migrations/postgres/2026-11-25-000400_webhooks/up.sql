-- Subscriptions of other systems to what happens, and what was delivered to them.

CREATE TABLE webhooks (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    url TEXT NOT NULL,
    -- Names of events and beginnings of names.
    events JSONB NOT NULL,
    description TEXT NOT NULL,
    -- The role through whose eyes the subscription looks, with what it is narrowed to.
    reads_as JSONB NOT NULL,
    status TEXT NOT NULL,
    disabled_reason TEXT,
    -- Enciphered with the key of the configuration, where there is one.
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until TIMESTAMPTZ,
    -- Up to here the feed was turned into deliveries.
    position BIGINT NOT NULL,
    -- Attempts that failed one after the other.
    failures INTEGER NOT NULL,
    -- No attempts before.
    held_until TIMESTAMPTZ,
    last_success_at TIMESTAMPTZ,
    last_failure_at TIMESTAMPTZ,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT webhooks_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT webhooks_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

CREATE TABLE webhook_deliveries (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    event TEXT NOT NULL,
    -- NULL: a test.
    event_id UUID,
    -- What is sent, the same on every attempt.
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- Attempts since it was last put on its way.
    tries INTEGER NOT NULL,
    -- When it is tried next; NULL: no more.
    next_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (committee_id, webhook_id) REFERENCES webhooks (committee_id, id)
);
CREATE INDEX webhook_deliveries_webhook_idx ON webhook_deliveries (committee_id, webhook_id, id);
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (committee_id, webhook_id, next_at) WHERE (next_at IS NOT NULL);

CREATE TABLE webhook_attempts (
    committee_id UUID NOT NULL,
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    millis INTEGER NOT NULL,
    http_status INTEGER,
    error TEXT,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (committee_id, delivery_id, number),
    CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (committee_id, delivery_id) REFERENCES webhook_deliveries (committee_id, id)
);
