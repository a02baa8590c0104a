-- Promises, tracking, supervision, urgings and instructions: entries of the follow-up of a case.

ALTER TABLE case_marks ADD COLUMN has_follow_ups BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX promises_status_idx ON promises (committee_id, status, due_on, id);

-- What one act wrote shares act_id; an urging or an instruction has one entry for each addressee.
CREATE TABLE follow_ups (
    committee_id UUID_BLOB NOT NULL,
    id UUID_BLOB NOT NULL,
    proposal_id UUID_BLOB NOT NULL,
    position INTEGER NOT NULL,
    act_id UUID_BLOB NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    unit_id UUID_BLOB,
    rater_id UUID_BLOB,
    promise_id UUID_BLOB,
    due_on DATE_TEXT,
    restricted BOOLEAN NOT NULL,
    content JSONB_TEXT NOT NULL,
    recorded_by UUID_BLOB NOT NULL,
    created_at TIMESTAMPTZ_TEXT NOT NULL,
    answer TEXT,
    answered_by UUID_BLOB,
    answered_at TIMESTAMPTZ_TEXT,
    CONSTRAINT follow_ups_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT follow_ups_position_key UNIQUE (committee_id, proposal_id, position),
    CONSTRAINT follow_ups_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT follow_ups_unit_fkey FOREIGN KEY (committee_id, unit_id) REFERENCES units (committee_id, id),
    CONSTRAINT follow_ups_rater_fkey FOREIGN KEY (committee_id, rater_id) REFERENCES proposers (committee_id, id),
    CONSTRAINT follow_ups_promise_fkey FOREIGN KEY (committee_id, promise_id) REFERENCES promises (committee_id, id)
);
CREATE INDEX follow_ups_unit_idx ON follow_ups (committee_id, unit_id, kind, status, due_on, id);
CREATE INDEX follow_ups_open_idx ON follow_ups (committee_id, kind, status, due_on, id);
