//! Reasons for not filing a proposal: data of each committee, and the twenty that all are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::code_list;
use crate::codes::Label;

code_list! {
    /// Whether a reason may be given.
    pub enum ReasonStatus {
        Draft = "draft", "草稿", "draft: not accepted by the chair yet";
        Active = "active", "启用", "active";
        Retired = "retired", "停用", "retired: stays with the cases that have it";
    }
}

/// Name of a reason inside its committee: a lower-case letter, then 1 to 63 lower-case letters,
/// digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ReasonCode(String);

impl ReasonCode {
    /// The same rule for schemas.
    pub const PATTERN: &'static str = "^[a-z][a-z0-9_]{1,63}$";

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text cannot be the name of a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not match ^[a-z][a-z0-9_]{{1,63}}$")]
pub struct BadReasonCode(String);

impl TryFrom<String> for ReasonCode {
    type Error = BadReasonCode;

    fn try_from(text: String) -> Result<Self, BadReasonCode> {
        let fits = (2..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits {
            Ok(Self(text))
        } else {
            Err(BadReasonCode(text))
        }
    }
}

impl FromStr for ReasonCode {
    type Err = BadReasonCode;

    fn from_str(text: &str) -> Result<Self, BadReasonCode> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for ReasonCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Code of a reason for not filing; `GET /api/v1/refusal-reasons` lists those of the committee.",
            ))
            .pattern(Some(Self::PATTERN))
            .min_length(Some(2))
            .max_length(Some(64))
            .examples(["no_concrete_suggestion"])
            .into()
    }
}

impl ToSchema for ReasonCode {}

/// What a reason is called, in the words of the committee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonLabel {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "内容空泛、没有具体建议"
    )]
    pub zh: String,
    /// English.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"\S",
        example = "no concrete suggestion"
    )]
    pub en: String,
}

/// Facts of a reason named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonFacts {
    /// What it is called.
    pub label: ReasonLabel,
    /// It removes the text and leaves the metadata (I29).
    pub hides_text: bool,
    /// It may be given now.
    pub active: bool,
}

/// A reason that every committee is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its code.
    pub code: &'static str,
    /// What it is called.
    pub label: Label,
    /// It is one of the national list of ten.
    pub national: bool,
    /// It removes the text (I29).
    pub hides_text: bool,
}

impl BuiltIn {
    const fn national(code: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self {
            national: true,
            ..Self::local(code, zh, en)
        }
    }

    const fn local(code: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self {
            code,
            label: Label { zh, en },
            national: false,
            hides_text: false,
        }
    }

    const fn hiding(self) -> Self {
        Self {
            hides_text: true,
            ..self
        }
    }
}

/// The reasons that every committee is given, in their order: the national list, then those of
/// local rules.
pub const BUILT_IN: [BuiltIn; 20] = [
    BuiltIn::national(
        "prohibited_by_state",
        "国家明令禁止",
        "prohibited by the state",
    ),
    BuiltIn::national(
        "state_or_party_secret",
        "涉及党和国家秘密",
        "state or party secret",
    )
    .hiding(),
    BuiltIn::national(
        "internal_ccp_matter",
        "党内组织、人事安排等意见",
        "internal matter of the CPC",
    ),
    BuiltIn::national(
        "internal_party_matter",
        "民主党派成员反映本组织内部问题",
        "internal matter of a party",
    ),
    BuiltIn::national(
        "in_legal_proceedings",
        "已进入诉讼、仲裁、行政复议程序",
        "in legal proceedings",
    ),
    BuiltIn::national("academic_discussion", "属于学术研讨", "academic discussion"),
    BuiltIn::national(
        "private_interest",
        "为本人或亲属解决个人问题",
        "private interest",
    ),
    BuiltIn::national(
        "promotion",
        "宣传、推介具体作品、产品",
        "promotion of a work or product",
    ),
    BuiltIn::national(
        "named_accusation",
        "指名举报",
        "accusation of named persons",
    )
    .hiding(),
    BuiltIn::national(
        "no_concrete_suggestion",
        "内容空泛、没有具体建议",
        "no concrete suggestion",
    ),
    BuiltIn::local(
        "violates_constitution_or_law",
        "违反宪法和法律规定",
        "against constitution or law",
    ),
    BuiltIn::local(
        "cppcc_internal_affairs",
        "对政协日常工作的意见建议",
        "daily work of the CPPCC",
    ),
    BuiltIn::local(
        "under_discipline_investigation",
        "纪检监察机关正在审查调查",
        "under discipline investigation",
    )
    .hiding(),
    BuiltIn::local(
        "outside_jurisdiction",
        "不属本行政区域或职权范围",
        "outside the jurisdiction",
    ),
    BuiltIn::local("multiple_matters", "一案多事", "several matters in one"),
    BuiltIn::local("forwarded_letter", "代转群众来信", "forwarded letter"),
    BuiltIn::local(
        "unqualified_proposer",
        "提案者不具备资格",
        "proposer not qualified",
    ),
    BuiltIn::local("bad_form", "格式不合规定", "not in the required form"),
    BuiltIn::local(
        "revision_not_received",
        "逾期未修改",
        "revision not received in time",
    ),
    BuiltIn::local("other", "其他", "other"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_form() {
        for built_in in BUILT_IN {
            assert_eq!(
                built_in.code.parse::<ReasonCode>().unwrap().as_str(),
                built_in.code
            );
        }
        let long = "a".repeat(65);
        for wrong in ["", "a", "A_b", "1ab", "_ab", "a-b", "a b", "a\u{e9}", &long] {
            assert!(wrong.parse::<ReasonCode>().is_err(), "{wrong}");
        }
        assert!("a".repeat(64).parse::<ReasonCode>().is_ok());
    }

    #[test]
    fn ten_are_national_and_three_hide_the_text() {
        let count = |is: fn(&BuiltIn) -> bool| BUILT_IN.iter().filter(|one| is(one)).count();
        assert_eq!(count(|one| one.national), 10);
        assert_eq!(count(|one| one.hides_text), 3);
        let mut codes: Vec<_> = BUILT_IN.iter().map(|one| one.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), BUILT_IN.len());
    }
}
