//! Making, changing and removing slices.

use super::visible;
use crate::auth::{Principal, Scope};
use crate::db::slices::{self, NewSlice, SliceChange};
use crate::db::{Conn, benchmarks};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use types::rule::Rule;
use types::{
    BenchmarkId, CreateSlice, MAX_BENCHMARKS, MAX_NAME, MAX_SLICE_TEXT, OrganizationId, Problem, Role,
    SliceId, SliceType, SliceView, UpdateSlice, check_name,
};
use uuid::Uuid;

/// Make a slice. Which samples are in it is found out in the background; see `state`.
#[utoipa::path(post, path = "/api/v1/slices", operation_id = "create_slice", tag = "catalogue", request_body = CreateSlice,
    responses((status = 201, body = SliceView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_slice(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateSlice>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Editor, Scope::Models)?;
    let wanted = wanted.accept()?;
    let slice = new_slice(&wanted, organization, &caller)?;
    let view = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            known(conn, organization, &wanted.associated_benchmarks).await?;
            slices::insert(conn, &slice).await?;
            Ok(visible(conn, SliceId(slice.id)).await?.1)
        })
        .await
        .map_err(|e| taken(e, &slice.name))?;
    Ok(HttpResponse::Created().json(view))
}

/// Change a slice. Where its rule or its benchmarks change, samples are looked at again in the background.
#[utoipa::path(patch, path = "/api/v1/slices/{slice_id}", operation_id = "update_slice", tag = "catalogue",
    params(("slice_id" = SliceId, Path)), request_body = UpdateSlice,
    responses((status = 200, body = SliceView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn update_slice(
    state: Data<AppState>,
    caller: Principal,
    id: Path<SliceId>,
    wanted: Json<UpdateSlice>,
) -> AppResult<web::Json<SliceView>> {
    let (organization, slice) = changeable(&state, &caller, *id).await?;
    let wanted = wanted.accept()?;
    let change = change_of(&wanted, &slice)?;
    let view = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            known(
                conn,
                organization,
                wanted.associated_benchmarks.as_deref().unwrap_or(&[]),
            )
            .await?;
            if change != SliceChange::default() {
                slices::update(conn, *id, &change).await?;
            }
            Ok(visible(conn, *id).await?.1)
        })
        .await
        .map_err(|e| taken(e, change.name.as_deref().unwrap_or_default()))?;
    Ok(web::Json(view))
}

/// Remove a slice, its memberships and what was scored on it. Samples and all other scores stay.
#[utoipa::path(delete, path = "/api/v1/slices/{slice_id}", operation_id = "delete_slice", tag = "catalogue",
    params(("slice_id" = SliceId, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete_slice(
    state: Data<AppState>,
    caller: Principal,
    id: Path<SliceId>,
) -> AppResult<HttpResponse> {
    changeable(&state, &caller, *id).await?;
    let found = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(slices::retire(conn, *id).await?) })
        .await?;
    match found {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(AppError::not_found("slice", *id)),
    }
}

/// The slice, when the caller may change it: asked before anything that was sent is looked at.
async fn changeable(
    state: &AppState,
    caller: &Principal,
    id: SliceId,
) -> AppResult<(OrganizationId, SliceView)> {
    let found = state
        .db
        .user(caller, async |conn: &mut Conn| visible(conn, id).await)
        .await?;
    caller.require_in(found.0, Role::Editor, Scope::Models)?;
    Ok(found)
}

/// The rule in a text.
///
/// # Errors
/// 422 that says where it goes wrong.
pub(super) fn parsed(text: &str) -> AppResult<Rule> {
    text.parse()
        .map_err(|e: types::rule::RuleError| AppError::field("rule", format!("cannot be read: {e}")))
}

fn new_slice(wanted: &CreateSlice, organization: OrganizationId, caller: &Principal) -> AppResult<NewSlice> {
    let value = text_of("slice_value", wanted.slice_value.as_deref(), MAX_NAME)?;
    let rule = text_of("rule", wanted.rule.as_deref(), usize::MAX)?;
    let rule = rule.as_deref().map(parsed).transpose()?;
    check_value(wanted.slice_type, value.as_deref(), rule.as_ref())?;
    Ok(NewSlice {
        id: Uuid::now_v7(),
        organization_id: organization.0,
        name: name_of(&wanted.name)?,
        slice_type: wanted.slice_type.as_str(),
        slice_value: value,
        rule: rule.map(|rule| rule.to_string()),
        associated_benchmarks: ids_of(&wanted.associated_benchmarks)?,
        description: text_of("description", wanted.description.as_deref(), MAX_SLICE_TEXT)?,
        created_by: caller.user_id().map(|user| user.0),
    })
}

fn change_of(wanted: &UpdateSlice, slice: &SliceView) -> AppResult<SliceChange> {
    let given = |field: &str, text: &Option<String>, most: usize| {
        let text = text.as_ref().map(|text| text_of(field, Some(text), most));
        text.transpose()
    };
    let value = given("slice_value", &wanted.slice_value, MAX_NAME)?;
    let rule = given("rule", &wanted.rule, usize::MAX)?;
    let rule = rule
        .map(|text| text.as_deref().map(parsed).transpose())
        .transpose()?;
    let after = match &rule {
        Some(changed) => changed.clone(),
        None if slice.own_rule => slice.rule.parse().ok(),
        None => None,
    };
    let value_after = value.clone().unwrap_or_else(|| slice.slice_value.clone());
    check_value(slice.slice_type, value_after.as_deref(), after.as_ref())?;
    Ok(SliceChange {
        name: wanted.name.as_deref().map(name_of).transpose()?,
        slice_value: value,
        rule: rule.map(|rule| rule.map(|rule| rule.to_string())),
        associated_benchmarks: wanted.associated_benchmarks.as_deref().map(ids_of).transpose()?,
        description: given("description", &wanted.description, MAX_SLICE_TEXT)?,
    })
}

/// Without a rule of its own, type and value have to make one.
fn check_value(kind: SliceType, value: Option<&str>, rule: Option<&Rule>) -> AppResult<()> {
    if rule.is_some() {
        return Ok(());
    }
    let field = if kind == SliceType::Custom {
        "rule"
    } else {
        "slice_value"
    };
    let made = kind.rule(value.unwrap_or_default());
    made.map(drop).map_err(|why| AppError::field(field, why))
}

fn name_of(name: &str) -> AppResult<String> {
    let name = check_name(name).map_err(|e| AppError::field("name", e.to_string()))?;
    Ok(name.to_owned())
}

/// Text without blanks around it; none when nothing is left.
fn text_of(field: &str, text: Option<&str>, most: usize) -> AppResult<Option<String>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if let Some(text) = text {
        if text.contains('\0') {
            return Err(AppError::field(
                field,
                "holds the control character U+0000; expected printable text",
            ));
        }
        let length = text.chars().count();
        if length > most {
            let message = format!("has {length} characters; expected at most {most}");
            return Err(AppError::field(field, message));
        }
    }
    Ok(text.map(str::to_owned))
}

fn ids_of(benchmarks: &[BenchmarkId]) -> AppResult<Vec<Uuid>> {
    if benchmarks.len() > MAX_BENCHMARKS {
        let message = format!("names {}; expected at most {MAX_BENCHMARKS}", benchmarks.len());
        return Err(AppError::field("associated_benchmarks", message));
    }
    let mut ids: Vec<Uuid> = benchmarks.iter().map(|b| b.0).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// That these benchmarks exist for the organization.
async fn known(conn: &mut Conn, organization: OrganizationId, ids: &[BenchmarkId]) -> AppResult<()> {
    for id in ids {
        if benchmarks::find(conn, *id, organization).await?.is_none() {
            let message = format!("names `{id}`; expected benchmarks of the catalogue");
            return Err(AppError::field("associated_benchmarks", message));
        }
    }
    Ok(())
}

fn taken(error: AppError, name: &str) -> AppError {
    error.or_taken(|| format!("there is already a slice `{name}`"))
}
