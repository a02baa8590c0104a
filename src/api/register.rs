//! What the registers have in common towards HTTP: one way each to list, show, create and change
//! rows, and the schemas that follow from the fields of a register.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use serde::de::DeserializeOwned;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::extract::Listing;
use super::json::RawBody;
use super::page::{Binding, COUNT_CAP};
use crate::app::{Answer, App, Ctx};
use crate::auth::principal::Principal;
use crate::error::Result;
use crate::ids::{Id, IdKind};
use crate::store::register::{self, Entry, Insert, Register};
use crate::workflow::role::Role;

/// Who sees the personal data of everybody in the registers.
pub const SEES_PERSONAL_DATA: &[Role] = &[
    Role::Administrator,
    Role::CommitteeStaff,
    Role::CommitteeChair,
    Role::Auditor,
];

/// A register that is reached over HTTP.
pub trait Resource: Register<Filter: DeserializeOwned> + ToSchema {
    /// Address of the list.
    const PATH: &'static str;
    /// Name of the schema of a row.
    const ENTRY: &'static str;
    /// Name of the schema of a merge patch.
    const PATCH: &'static str;

    /// Takes out what the caller may not see.
    fn hide(_entry: &mut Entry<Self>, _principal: &Principal) {}
}

/// A page of the rows that match.
pub async fn list<F: Resource>(app: &App, ctx: Ctx, listing: Listing<F::Filter>) -> Result<Answer> {
    let Listing { filter, page } = listing;
    let binding = Binding::new(&ctx, &filter);
    let after: Option<F::Key> = page
        .cursor
        .as_deref()
        .map(|cursor| binding.decode(cursor))
        .transpose()?;
    let (committee, with_count) = (ctx.committee(), page.count);
    let limit = i64::try_from(page.limit.get() + 1).unwrap_or(i64::MAX);
    let (rows, count) = app
        .db
        .read(F::NAME, move |tx| {
            let rows = F::list(tx, committee, &filter, after.as_ref(), limit)?;
            let count = with_count
                .then(|| F::count(tx, committee, &filter))
                .transpose()?;
            Ok((rows, count))
        })
        .await?;
    let mut answer = binding.page(rows, page.limit, F::key)?;
    answer.count = count.map(|count| count.min(COUNT_CAP));
    for entry in &mut answer.items {
        F::hide(entry, &ctx.principal);
    }
    Answer::ok(&answer)
}

/// One row.
pub async fn show<F: Resource>(app: &App, ctx: Ctx, id: Id<F::Kind>) -> Result<Answer> {
    let committee = ctx.committee();
    let entry = app
        .db
        .read(F::NAME, move |tx| F::find(tx, committee, id))
        .await?;
    shown(entry, &ctx)
}

/// Creates a row from its fields.
pub async fn create<F: Resource + Insert + DeserializeOwned>(
    app: &App,
    ctx: Ctx,
    request: &HttpRequest,
    body: &RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(request, body)?;
    let fields: F = body.parse()?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        created(register::create(tx, &act, fields.clone())?, &act)
    })
    .await
}

/// Changes a row by a merge patch of its fields.
pub async fn update<F: Resource + DeserializeOwned>(
    app: &App,
    ctx: Ctx,
    request: &HttpRequest,
    id: Id<F::Kind>,
    body: RawBody,
) -> Result<Answer> {
    let ctx = ctx.for_write(request, &body)?;
    let act = ctx.clone();
    app.write(&ctx, move |tx| {
        let before = F::find(tx, act.committee(), id)?;
        act.if_match.check(before.version)?;
        let fields = body.merge_into(&before.fields)?;
        shown(register::change(tx, &act, before, fields)?, &act)
    })
    .await
}

/// 200 with the row.
pub fn shown<F: Resource>(mut entry: Entry<F>, ctx: &Ctx) -> Result<Answer> {
    F::hide(&mut entry, &ctx.principal);
    Ok(Answer::ok(&entry)?.version(entry.version))
}

/// 201 with the row and its address.
pub fn created<F: Resource>(mut entry: Entry<F>, ctx: &Ctx) -> Result<Answer> {
    F::hide(&mut entry, &ctx.principal);
    let location = format!("{}/{}", F::PATH, entry.id);
    Ok(Answer::created(&entry, location)?.version(entry.version))
}

impl<F: Resource> PartialSchema for Entry<F> {
    /// The properties of the fields and those that the service adds. Fields that have a default
    /// are always there.
    fn schema() -> RefOr<Schema> {
        let fields = object::<F>();
        let mut entry = Object::new();
        entry.description.clone_from(&fields.description);
        require(
            &mut entry,
            "id",
            Ref::from_schema_name(<F::Kind as IdKind>::SCHEMA).into(),
        );
        for (name, schema) in fields.properties {
            if has_default(&schema) || fields.required.contains(&name) {
                entry.required.push(name.clone());
            }
            entry.properties.insert(name, schema);
        }
        require(&mut entry, "version", version());
        require(&mut entry, "created_at", moment("When it was created."));
        require(
            &mut entry,
            "updated_at",
            moment("When it was last changed."),
        );
        entry.into()
    }
}

impl<F: Resource> ToSchema for Entry<F> {
    fn name() -> std::borrow::Cow<'static, str> {
        F::ENTRY.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((
            <F::Kind as IdKind>::SCHEMA.to_owned(),
            Id::<F::Kind>::schema(),
        ));
        F::schemas(schemas);
    }
}

/// Stands for a merge patch (RFC 7396) of the fields `F`: every field may be left out, and those
/// that need not be given may be removed with `null`.
pub struct Patch<F>(PhantomData<F>);

impl<F: Resource> PartialSchema for Patch<F> {
    fn schema() -> RefOr<Schema> {
        patch_of::<F>()
    }
}

impl<F: Resource> ToSchema for Patch<F> {
    fn name() -> std::borrow::Cow<'static, str> {
        F::PATCH.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        F::schemas(schemas);
    }
}

/// The schema of a merge patch of a struct.
pub fn patch_of<T: PartialSchema>() -> RefOr<Schema> {
    let mut patch = object::<T>();
    let required = std::mem::take(&mut patch.required);
    for (name, schema) in &mut patch.properties {
        if !required.contains(name) {
            *schema = nullable(schema.clone());
        }
    }
    patch.description =
        Some("Changes: what is left out stays as it is, `null` removes.".to_owned());
    patch.into()
}

/// The schema of a struct with the properties of another one added, as `#[serde(flatten)]` does.
pub fn joined<A: PartialSchema, B: PartialSchema>() -> RefOr<Schema> {
    let (mut joined, other) = (object::<A>(), object::<B>());
    joined.properties.extend(other.properties);
    joined.required.extend(other.required);
    joined.into()
}

/// The schema of a struct.
pub fn object<T: PartialSchema>() -> Object {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(),
    }
}

fn require(object: &mut Object, name: &str, schema: RefOr<Schema>) {
    object.properties.insert(name.to_owned(), schema);
    object.required.push(name.to_owned());
}

fn has_default(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.default.is_some())
}

/// The schema with null beside it, without a default.
pub fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    let null = SchemaType::Type(Type::Null);
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.default = None;
            if let SchemaType::Type(kind) = object.schema_type {
                object.schema_type = SchemaType::Array(vec![kind, Type::Null]);
            }
            object.into()
        }
        other => OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(null))
            .item(other)
            .into(),
    }
}

fn version() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(i32::MAX))
        .description(Some(
            "Number of the present version; in quotes, it is the ETag.",
        ))
        .examples([3])
        .into()
}

fn moment(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .max_length(Some(40))
        .description(Some(description))
        .examples(["2026-01-18T01:30:00Z"])
        .into()
}
