-- Working-day calendars of a committee, in versions that never change. Version 1 is the one that
-- ships with the program and has no rows; a later one holds every announced day of every year.
CREATE TABLE calendars (
    committee_id UUID NOT NULL,
    version INTEGER NOT NULL,
    -- Where the announcement stands.
    source_note TEXT NOT NULL,
    -- First and last day on which it differs from the version before.
    changed_from DATE NOT NULL,
    changed_until DATE NOT NULL,
    imported_by UUID NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (committee_id, version),
    CONSTRAINT calendars_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);

CREATE TABLE calendar_days (
    committee_id UUID NOT NULL,
    version INTEGER NOT NULL,
    day DATE NOT NULL,
    -- holiday or makeup_workday.
    kind TEXT NOT NULL,
    name TEXT,
    -- Of the import that brought the day; NULL for days that shipped with the program.
    source_note TEXT,
    CONSTRAINT calendar_days_pkey PRIMARY KEY (committee_id, version, day),
    CONSTRAINT calendar_days_calendar_fkey FOREIGN KEY (committee_id, version) REFERENCES calendars (committee_id, version)
);

-- The version that acts count with: read with each case.
ALTER TABLE committees ADD COLUMN calendar_version INTEGER NOT NULL DEFAULT 1;

-- Whose clock it is, for lists of what is due: the unit of the row, reply, request, promise or
-- entry that it runs for, and the assigning line of the case.
ALTER TABLE clocks ADD COLUMN unit_id UUID;
ALTER TABLE clocks ADD COLUMN line TEXT;

UPDATE clocks SET unit_id = (
    SELECT a.unit_id FROM assignments AS a
    WHERE a.committee_id = clocks.committee_id AND a.id = clocks.subject_id
) WHERE kind IN ('K05', 'K06', 'K07', 'K08', 'K09', 'K10');
UPDATE clocks SET unit_id = (
    SELECT r.unit_id FROM replies AS r
    WHERE r.committee_id = clocks.committee_id AND r.id = clocks.subject_id
) WHERE kind IN ('K11', 'K18');
UPDATE clocks SET unit_id = (
    SELECT a.unit_id FROM requests AS q
    JOIN assignments AS a ON a.committee_id = q.committee_id AND a.id = q.assignment_id
    WHERE q.committee_id = clocks.committee_id AND q.id = clocks.subject_id
) WHERE kind IN ('K13', 'K14');
UPDATE clocks SET unit_id = (
    SELECT p.unit_id FROM promises AS p
    WHERE p.committee_id = clocks.committee_id AND p.id = clocks.subject_id
) WHERE kind = 'K15';
UPDATE clocks SET unit_id = (
    SELECT f.unit_id FROM follow_ups AS f
    WHERE f.committee_id = clocks.committee_id AND f.id = clocks.subject_id
) WHERE kind IN ('K19', 'K21');
UPDATE clocks SET line = (
    SELECT p.assigning_line FROM proposals AS p
    WHERE p.committee_id = clocks.committee_id AND p.id = clocks.proposal_id
);

CREATE INDEX clocks_due_idx ON clocks (committee_id, due_at, id) WHERE (stopped_at IS NULL);
CREATE INDEX clocks_unit_idx ON clocks (committee_id, unit_id, due_at, id) WHERE (stopped_at IS NULL);
CREATE INDEX clocks_line_idx ON clocks (committee_id, line, due_at, id) WHERE (stopped_at IS NULL);
CREATE INDEX clocks_kind_idx ON clocks (committee_id, kind, due_at, id) WHERE (stopped_at IS NULL);
