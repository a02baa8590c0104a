//! Merge patches of the texts that people write.

use std::borrow::Cow;
use std::marker::PhantomData;

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::register::patch_of;
use crate::workflow::input::{ProposalForm, ReplyForm};

/// Stands for a merge patch (RFC 7396) of a form: every field may be left out, and those that need
/// not be given may be removed with `null`.
pub struct FormPatch<F>(PhantomData<F>);

/// A patch of a proposal's text.
pub type ProposalFormPatch = FormPatch<ProposalForm>;
/// A patch of a reply's text.
pub type ReplyFormPatch = FormPatch<ReplyForm>;

impl<F: ToSchema> PartialSchema for FormPatch<F> {
    fn schema() -> RefOr<Schema> {
        patch_of::<F>()
    }
}

impl<F: ToSchema> ToSchema for FormPatch<F> {
    fn name() -> Cow<'static, str> {
        format!("{}Patch", F::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        F::schemas(schemas);
    }
}
