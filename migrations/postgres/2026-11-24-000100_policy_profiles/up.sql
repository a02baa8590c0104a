-- The policy profiles of a committee: every version that was ever drafted, with all its settings.
-- One is in force for each session that has its own, and one for all others.
CREATE TABLE policy_profiles (
    committee_id UUID NOT NULL,
    id UUID NOT NULL,
    -- NULL: for every session that has no profile of its own.
    session_id UUID,
    -- Running number in the committee, from 1; proposals and clocks name it.
    profile_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    settings JSONB NOT NULL,
    note TEXT,
    -- NULL: the defaults that came with the committee.
    drafted_by UUID,
    drafted_at TIMESTAMPTZ NOT NULL,
    activated_by UUID,
    activated_at TIMESTAMPTZ,
    -- Rises with every write: the ETag.
    version INTEGER NOT NULL,
    CONSTRAINT policy_profiles_pkey PRIMARY KEY (committee_id, id),
    CONSTRAINT policy_profiles_number_key UNIQUE (committee_id, profile_version),
    CONSTRAINT policy_profiles_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id),
    CONSTRAINT policy_profiles_session_fkey FOREIGN KEY (committee_id, session_id) REFERENCES sessions (committee_id, id)
);
CREATE INDEX policy_profiles_status_idx ON policy_profiles (committee_id, status, session_id);

-- Committees that exist go on with the defaults, which have applied to all their cases so far.
INSERT INTO policy_profiles (
    committee_id, id, session_id, profile_version, status, settings, note,
    drafted_by, drafted_at, activated_by, activated_at, version
)
SELECT
    committees.id, gen_random_uuid(), NULL, 1, 'active', '{
        "session.window_opens_months_before": 3,
        "cosign.limit_in_session_hours": 24,
        "cosign.limit_ordinary_hours": 72,
        "cosign.comment_required": false,
        "cosign.drop_unsigned_at": "filing",
        "cosign.reset_on_edit": true,
        "seconding.enabled": false,
        "text.title_max_chars": 50,
        "text.part_max_chars": 2500,
        "text.total_max_chars": 2500,
        "text.total_advice_chars": 1500,
        "text.analysis_required": false,
        "collective.seal_evidence_required": true,
        "attachments.max_count": 5,
        "attachments.max_mb": 32,
        "examination.stages": 2,
        "examination.distinct_examiners": true,
        "examination.limit_ordinary": "10 wd",
        "revision.limit": "10 wd",
        "urgent.examination_hours": 24,
        "urgent.assignment_hours": 48,
        "urgent.reply_days": 30,
        "urgent.reference_copy_before_filing": true,
        "assignment.meeting_within_days": 30,
        "assignment.ordinary_limit": "10 wd",
        "line_routing": {},
        "return.window": "5 wd",
        "return.answer_limit": "7 cd",
        "return.requires_suggested_unit": true,
        "return.late_means_accepted": true,
        "return.max_bounces": 2,
        "contact.first_limit": "15 wd",
        "contact.required_before_reply": true,
        "opinion.limit": "1 mo",
        "opinion.required_before_sign": true,
        "countersign.required": true,
        "countersign.limit": "5 wd",
        "countersign.lapse_means": "agreed",
        "reply.limit.session": "3 mo",
        "reply.limit.ordinary": "3 mo",
        "reply.review_required": true,
        "reply.review_limit": "5 wd",
        "reply.reviewer_may_change_outcome": true,
        "reply.key_signed_by_head": true,
        "extension.max_months_total": 6,
        "extension.approver": "assigning_office",
        "pause.max_days_total": 30,
        "outcome.scheme": {"deferred_by_conditions": "C", "for_reference": "C", "in_progress": "B", "not_feasible": "C", "partially_resolved": "B", "planned": "B", "resolved": "A", "resolved_otherwise": "A"},
        "outcome.promise_required_for": ["in_progress", "planned"],
        "feedback.window": "15 wd",
        "feedback.raters": "every_signer",
        "feedback.scale_attitude": ["satisfied", "basically_satisfied", "dissatisfied"],
        "feedback.scale_result": ["satisfied", "basically_satisfied", "dissatisfied"],
        "feedback.lapsed_counts_as": "not_returned",
        "rehandling.trigger": ["dissatisfied"],
        "rehandling.limit": "1 mo",
        "rehandling.max_rounds": 1,
        "tracking.required_for": ["in_progress", "planned"],
        "tracking.look_back_date": "11-20",
        "close.consultation_required_for": ["no_1", "key"],
        "publication.catalogue_within": "15 cd",
        "publication.reply_within": "20 wd",
        "publication.default_level": "summary",
        "number.separate_series": false,
        "key.share_percent": 2,
        "excellent.share_percent": 2,
        "excellent.collective_min_percent": 20,
        "performance.year_start": "12-01",
        "unit_report.due": "10-10",
        "opinion_report.max_chars": 1500,
        "clue.chars": {"max": 500, "min": 300}
    }'::jsonb, NULL,
    NULL, committees.created_at, NULL, committees.created_at, 1
FROM committees;
INSERT INTO number_series (committee_id, series, last_number)
SELECT committees.id, 'policy_profile', 1 FROM committees;
