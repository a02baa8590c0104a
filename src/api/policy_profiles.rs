//! Policy profiles (政策参数): the limits and choices of a committee, in versions.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, OneOfBuilder, Schema};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::extract::{Listing, PathId};
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP, CursorParams, Page, PageParams};
use super::register::patch_of;
use super::routes::{Access, Routes};
use crate::app::policy::{self, Counted, Preview, Wanted};
use crate::app::{Answer, App, Ctx};
use crate::codes::Label;
use crate::enter;
use crate::error::Result;
use crate::ids::{PolicyProfileId, ProposalId, SessionId, kind};
use crate::store::policy_profiles::{
    self as store, PolicyProfile, PolicyProfileFilter, RunningCase,
};
use crate::workflow::input::NoInput;
use crate::workflow::profile::keys::Difference;
use crate::workflow::profile::{PolicyEffect, Profile};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::role::Role;

/// Who may look at what an activation would mean.
const PREVIEWERS: &[Role] = &[
    Role::Administrator,
    Role::CommitteeChair,
    Role::CommitteeStaff,
    Role::Auditor,
];

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    const DRAFTERS: Access = Access::Roles(policy::DRAFTERS);
    const ACTIVATORS: Access = Access::Roles(policy::ACTIVATORS);
    enter!(routes, Access::SignedIn, [__path_list_policy_profiles] list_policy_profiles);
    enter!(routes, DRAFTERS, [__path_draft_policy_profile] draft_policy_profile);
    enter!(routes, Access::SignedIn, [__path_get_policy_profile] get_policy_profile);
    enter!(routes, DRAFTERS, [__path_change_policy_profile] change_policy_profile);
    enter!(
        routes,
        Access::Roles(PREVIEWERS),
        [__path_preview_policy_profile] preview_policy_profile
    );
    enter!(routes, ACTIVATORS.stepped_up(), [__path_activate_policy_profile] activate_policy_profile);
    routes.hidden_body::<PolicyProfileFields>();
    routes.hidden_body::<PolicyProfileChange>();
}

/// A whole new version, as the request leaves it on top of the version in force.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyProfileFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 500, pattern = r"\S")]
    note: Option<String>,
    settings: Profile,
}

/// What a draft is after a change.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyProfileChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 500, pattern = r"\S")]
    note: Option<String>,
    settings: Profile,
}

/// A new version of the policy profile: what is given is changed, everything else is as in the
/// version in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "stands for the body in the document")]
struct NewPolicyProfile {
    /// The session it is for; left out or `null`: every session that has none of its own.
    session_id: Option<SessionId>,
    /// What it is for.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"\S",
        example = "按市政协新修订的提案工作条例调整"
    )]
    note: Option<String>,
    /// The keys that are to differ from the version in force.
    #[schema(required = false)]
    settings: PolicySettingsPatch,
}

/// Changes to a draft: what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "stands for the body in the document")]
struct PolicyProfilePatch {
    /// What it is for; `null` removes it.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    note: Option<String>,
    /// The keys to change.
    #[schema(required = false)]
    settings: PolicySettingsPatch,
}

/// Stands for a merge patch of the settings.
#[derive(Deserialize)]
struct PolicySettingsPatch;

impl PartialSchema for PolicySettingsPatch {
    fn schema() -> RefOr<Schema> {
        let mut patch = patch_of::<Profile>();
        if let RefOr::T(Schema::Object(patch)) = &mut patch
            && let Some(RefOr::T(Schema::Object(routing))) =
                patch.properties.get_mut("line_routing")
            && let Some(AdditionalProperties::RefOr(line)) =
                routing.additional_properties.as_deref().cloned()
        {
            // An entry is removed with null: the usual line holds again.
            let null = ObjectBuilder::new().schema_type(Type::Null);
            let either = OneOfBuilder::new().item(null).item(line);
            let either = AdditionalProperties::RefOr(Schema::from(either).into());
            routing.additional_properties = Some(Box::new(either));
        }
        patch
    }
}

impl ToSchema for PolicySettingsPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Profile::schemas(schemas);
    }
}

/// What the activation of a version would mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyPreview {
    /// Number of the version in force that it is compared with.
    #[schema(minimum = 1, example = 1)]
    pub against_version: i32,
    /// What differs, key by key.
    #[schema(max_items = 100)]
    pub changes: Vec<PolicyChange>,
    /// Running cases by status: those that follow the new version, and those that keep theirs.
    #[schema(max_items = 22)]
    pub counts: Vec<PolicyCaseCount>,
    /// Running cases of the effect asked for, as far as the caller may see them.
    pub cases: Page<PolicyCase>,
}

/// A key whose value differs.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyChange {
    /// The key.
    #[schema(max_length = 64, example = "examination.stages")]
    pub key: &'static str,
    /// What it means.
    pub label: Label,
    /// Value in the version in force; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Value, example = 2)]
    pub from: Option<Value>,
    /// Value in this version; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Value, example = 3)]
    pub to: Option<Value>,
}

impl From<Difference> for PolicyChange {
    fn from(difference: Difference) -> Self {
        Self {
            key: difference.key.name,
            label: difference.key.label,
            from: difference.from,
            to: difference.to,
        }
    }
}

/// Running cases of one status.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyCaseCount {
    /// The status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// What the activation means to them.
    pub effect: PolicyEffect,
    /// How many there are.
    #[schema(minimum = 1)]
    pub cases: i64,
}

impl From<Counted> for PolicyCaseCount {
    fn from(counted: Counted) -> Self {
        Self {
            status: counted.status,
            status_label: counted.label(),
            effect: counted.effect,
            cases: counted.cases,
        }
    }
}

/// A running case.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyCase {
    /// The proposal.
    pub id: ProposalId,
    /// Its status.
    pub status: ProposalStatus,
    /// Label of the status.
    pub status_label: Label,
    /// Serial number (流水号).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub serial_no: Option<i32>,
    /// Case number (案号).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub case_no: Option<i32>,
    /// The version under which it was last written to; pinned once the case is filed.
    #[schema(minimum = 1)]
    pub profile_version: i32,
}

impl From<RunningCase> for PolicyCase {
    fn from(case: RunningCase) -> Self {
        Self {
            id: case.id,
            status: case.status,
            status_label: case.status.label(),
            serial_no: case.serial_no,
            case_no: case.case_no,
            profile_version: case.profile_version,
        }
    }
}

/// Which running cases a preview lists.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PreviewFilter {
    /// List the cases that would follow the new version (default), or those that keep theirs.
    #[param(inline, nullable = false)]
    pub effect: Option<PolicyEffect>,
}

/// List policy profiles
///
/// Every version that was drafted, newest first. `status=active` gives those in force: one for
/// each session that has its own, and one for all others.
#[utoipa::path(
    get, path = "/api/v1/policy-profiles", tag = "policy",
    params(PolicyProfileFilter, PageParams),
    responses((status = 200, description = "A page of versions.", body = Page<PolicyProfile>)),
)]
pub async fn list_policy_profiles(
    app: Data<App>,
    ctx: Ctx,
    listing: Listing<PolicyProfileFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let (limit, with_count) = (page.limit, page.count);
    let (rows, count) = app
        .db
        .read("policy_profile.list", move |tx| {
            let rows = store::list(tx, ctx.committee(), &filter, after, rows(limit.get()))?;
            let count = with_count
                .then(|| store::count(tx, ctx.committee(), &filter))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let mut answer = binding.page(rows, limit, |profile| profile.profile_version)?;
    answer.count = count.map(|count| count.min(COUNT_CAP));
    Answer::ok(&answer)
}

/// One row more than the page has, to see whether there is more.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// Draft a policy profile
///
/// A new version from the one in force for the same sessions, with the given keys changed (a merge
/// patch of the settings). It applies to nothing until the chair activates it.
#[utoipa::path(
    post, path = "/api/v1/policy-profiles", tag = "policy",
    request_body(content = NewPolicyProfile, example = json!({
        "note": "按市政协新修订的提案工作条例调整",
        "settings": {
            "examination.stages": 3,
            "return.window": "7 wd",
            "outcome.scheme": { "for_reference": "D" }
        }
    })),
    responses((status = 201, description = "The draft.", body = PolicyProfile)),
)]
pub async fn draft_policy_profile(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.write(&ctx.clone(), move |tx| {
        let profile = policy::draft(tx, &ctx, &|base| {
            let fields: PolicyProfileFields = body.merge_into(&PolicyProfileFields {
                session_id: None,
                note: None,
                settings: base.clone(),
            })?;
            Ok(Wanted {
                session: fields.session_id,
                note: fields.note,
                settings: fields.settings,
            })
        })?;
        let location = format!("/api/v1/policy-profiles/{}", profile.id);
        Ok(Answer::created(&profile, location)?.version(profile.version))
    })
    .await
}

/// Read a policy profile
///
/// One version with every key.
#[utoipa::path(
    get, path = "/api/v1/policy-profiles/{profile_id}", tag = "policy",
    params(("profile_id" = PolicyProfileId, Path, description = "The version.")),
    responses((status = 200, description = "The version.", body = PolicyProfile)),
)]
pub async fn get_policy_profile(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::PolicyProfile>,
) -> Result<Answer> {
    let profile = app
        .db
        .read("policy_profile.get", move |tx| {
            store::find(tx, ctx.committee(), id)
        })
        .await?;
    shown(&profile)
}

fn shown(profile: &PolicyProfile) -> Result<Answer> {
    Ok(Answer::ok(profile)?.version(profile.version))
}

/// Change a draft of a policy profile
///
/// Only a draft changes; a version that is or was in force stays as it is.
#[utoipa::path(
    patch, path = "/api/v1/policy-profiles/{profile_id}", tag = "policy",
    params(("profile_id" = PolicyProfileId, Path, description = "The draft.")),
    request_body(content = PolicyProfilePatch, content_type = "application/merge-patch+json",
        example = json!({ "settings": { "examination.stages": 2 } })),
    responses((status = 200, description = "The draft as it is now.", body = PolicyProfile)),
)]
pub async fn change_policy_profile(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::PolicyProfile>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.write(&ctx.clone(), move |tx| {
        let before = store::find(tx, ctx.committee(), id)?;
        let fields: PolicyProfileChange = body.merge_into(&PolicyProfileChange {
            note: before.note.clone(),
            settings: before.settings.clone(),
        })?;
        ctx.if_match.check(before.version)?;
        shown(&policy::change(
            tx,
            &ctx,
            before,
            fields.note,
            fields.settings,
        )?)
    })
    .await
}

/// What the activation of a policy profile would mean
///
/// What differs from the version in force, key by key, and the running cases: those not yet filed
/// follow the new version from their next act on; those on file keep the version that was pinned
/// when they were filed.
#[utoipa::path(
    get, path = "/api/v1/policy-profiles/{profile_id}/preview", tag = "policy",
    params(
        ("profile_id" = PolicyProfileId, Path, description = "The version."),
        PreviewFilter, CursorParams
    ),
    responses((status = 200, description = "What it would mean.", body = PolicyPreview)),
)]
pub async fn preview_policy_profile(
    app: Data<App>,
    ctx: Ctx,
    PathId(id): PathId<kind::PolicyProfile>,
    listing: Listing<PreviewFilter>,
) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let effect = filter.effect.unwrap_or(PolicyEffect::Follows);
    let binding = Binding::new(&ctx, &(id, effect));
    let cursor = page.cursor.as_deref();
    let after = cursor.map(|cursor| binding.decode(cursor)).transpose()?;
    let limit = page.limit;
    let preview = app
        .db
        .read("policy_profile.preview", move |tx| {
            policy::preview(tx, &ctx, id, effect, after, rows(limit.get()))
        })
        .await?;
    let Preview {
        against,
        changes,
        counts,
        cases,
    } = preview;
    let cases = binding.page(cases, limit, |case| case.id)?;
    Answer::ok(&PolicyPreview {
        against_version: against,
        changes: changes.into_iter().map(Into::into).collect(),
        counts: counts.into_iter().map(Into::into).collect(),
        cases: cases.map(Into::into),
    })
}

/// Activate a policy profile
///
/// The draft takes the place of the version in force for the same sessions. No running case is
/// touched: look at the preview first.
#[utoipa::path(
    post, path = "/api/v1/policy-profiles/{profile_id}/actions/activate", tag = "policy",
    params(("profile_id" = PolicyProfileId, Path, description = "The draft.")),
    request_body(content = NoInput, example = json!({})),
    responses((status = 200, description = "The version, in force.", body = PolicyProfile)),
)]
pub async fn activate_policy_profile(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    PathId(id): PathId<kind::PolicyProfile>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(&request, &body)?;
    app.write(&ctx.clone(), move |tx| {
        let before = store::find(tx, ctx.committee(), id)?;
        body.parse::<NoInput>()?;
        ctx.if_match.check(before.version)?;
        shown(&policy::activate(tx, &ctx, &before)?)
    })
    .await
}
