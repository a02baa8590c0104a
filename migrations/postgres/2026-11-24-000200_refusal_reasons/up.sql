-- Reasons for not filing are data of the committee: kept for ever once a case has them.

CREATE TABLE refusal_reasons (
    committee_id UUID NOT NULL,
    code TEXT NOT NULL,
    label_zh TEXT NOT NULL,
    label_en TEXT NOT NULL,
    -- In the national list of ten.
    national BOOLEAN NOT NULL,
    -- I29: removes the text of the proposal, metadata stay.
    hide_text BOOLEAN NOT NULL,
    -- Given to every committee: never deleted, its meaning never changed.
    built_in BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT refusal_reasons_pkey PRIMARY KEY (committee_id, code),
    CONSTRAINT refusal_reasons_committee_fkey FOREIGN KEY (committee_id) REFERENCES committees (id)
);
CREATE INDEX refusal_reasons_position_idx ON refusal_reasons (committee_id, position, code);

-- Which cases have which reasons: the foreign key keeps a used reason from being deleted.
CREATE TABLE refusal_uses (
    committee_id UUID NOT NULL,
    proposal_id UUID NOT NULL,
    -- examine or not_file.
    act TEXT NOT NULL,
    code TEXT NOT NULL,
    -- Place among the reasons of that act, from 1.
    position INTEGER NOT NULL,
    CONSTRAINT refusal_uses_pkey PRIMARY KEY (committee_id, proposal_id, act, code),
    CONSTRAINT refusal_uses_proposal_fkey FOREIGN KEY (committee_id, proposal_id) REFERENCES proposals (committee_id, id),
    CONSTRAINT refusal_uses_reason_fkey FOREIGN KEY (committee_id, code) REFERENCES refusal_reasons (committee_id, code)
);
CREATE INDEX refusal_uses_code_idx ON refusal_uses (committee_id, code, proposal_id);

-- The committees that exist already.
WITH given (code, label_zh, label_en, national, hide_text, position) AS (
    VALUES
        ('prohibited_by_state', '国家明令禁止', 'prohibited by the state', TRUE, FALSE, 10),
        ('state_or_party_secret', '涉及党和国家秘密', 'state or party secret', TRUE, TRUE, 20),
        ('internal_ccp_matter', '党内组织、人事安排等意见', 'internal matter of the CPC', TRUE, FALSE, 30),
        ('internal_party_matter', '民主党派成员反映本组织内部问题', 'internal matter of a party', TRUE, FALSE, 40),
        ('in_legal_proceedings', '已进入诉讼、仲裁、行政复议程序', 'in legal proceedings', TRUE, FALSE, 50),
        ('academic_discussion', '属于学术研讨', 'academic discussion', TRUE, FALSE, 60),
        ('private_interest', '为本人或亲属解决个人问题', 'private interest', TRUE, FALSE, 70),
        ('promotion', '宣传、推介具体作品、产品', 'promotion of a work or product', TRUE, FALSE, 80),
        ('named_accusation', '指名举报', 'accusation of named persons', TRUE, TRUE, 90),
        ('no_concrete_suggestion', '内容空泛、没有具体建议', 'no concrete suggestion', TRUE, FALSE, 100),
        ('violates_constitution_or_law', '违反宪法和法律规定', 'against constitution or law', FALSE, FALSE, 110),
        ('cppcc_internal_affairs', '对政协日常工作的意见建议', 'daily work of the CPPCC', FALSE, FALSE, 120),
        ('under_discipline_investigation', '纪检监察机关正在审查调查', 'under discipline investigation', FALSE, TRUE, 130),
        ('outside_jurisdiction', '不属本行政区域或职权范围', 'outside the jurisdiction', FALSE, FALSE, 140),
        ('multiple_matters', '一案多事', 'several matters in one', FALSE, FALSE, 150),
        ('forwarded_letter', '代转群众来信', 'forwarded letter', FALSE, FALSE, 160),
        ('unqualified_proposer', '提案者不具备资格', 'proposer not qualified', FALSE, FALSE, 170),
        ('bad_form', '格式不合规定', 'not in the required form', FALSE, FALSE, 180),
        ('revision_not_received', '逾期未修改', 'revision not received in time', FALSE, FALSE, 190),
        ('other', '其他', 'other', FALSE, FALSE, 200)
)
INSERT INTO refusal_reasons (
    committee_id, code, label_zh, label_en, national, hide_text, built_in, status, position,
    version, created_at, updated_at
)
SELECT
    c.id, g.code, g.label_zh, g.label_en, g.national, g.hide_text, TRUE, 'active', g.position,
    1, c.created_at, c.created_at
FROM committees AS c
CROSS JOIN given AS g;

-- The cases that were examined or refused already.
INSERT INTO refusal_uses (committee_id, proposal_id, act, code, position)
SELECT d.committee_id, d.proposal_id, 'examine', r.code, MIN(r.place)::INTEGER
FROM opinions AS d
CROSS JOIN LATERAL jsonb_array_elements_text(d.content -> 'reason_codes') WITH ORDINALITY AS r (code, place)
GROUP BY d.committee_id, d.proposal_id, r.code;
INSERT INTO refusal_uses (committee_id, proposal_id, act, code, position)
SELECT d.committee_id, d.proposal_id, 'not_file', r.code, MIN(r.place)::INTEGER
FROM decisions AS d
CROSS JOIN LATERAL jsonb_array_elements_text(d.content -> 'reason_codes') WITH ORDINALITY AS r (code, place)
WHERE d.kind = 'not_file'
GROUP BY d.committee_id, d.proposal_id, r.code;
