//! Scheduled events: listed, read, canceled.

use super::body::Given;
use super::error::ApiError;
use super::gate::{Caller, Lag};
use super::paging::{Page, Params, one_of};
use crate::accounts::Group;
use crate::app::Shared;
use crate::bookings::{Bookings, Canceler, Refused};
use crate::event::{Host, ScheduledEvent};
use crate::ids;
use crate::state::State as Held;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde_json::{Value, json};

const READ: &str = "scheduled_events:read";

/// Owners and admins may see all of their organization, those who lead a group what its members
/// host, and everybody what they host. Some events are closed to all.
pub(super) fn may_see(state: &Held, caller: &Caller, event: &ScheduledEvent) -> bool {
    let leads = |host: &Host| {
        let mut groups = state.accounts.groups.iter();
        groups.any(|group| group.has(&host.id) && caller.leads(group))
    };
    event.organization == caller.user.organization
        && (caller.user.role.sees_all()
            || event.has_host(&caller.user.id)
            || event.hosts.iter().any(leads))
        && !state.forbidden.contains(&event.id)
}

/// The event, if the caller may see it.
pub(super) fn visible<'a>(
    state: &Held,
    bookings: &'a Bookings,
    caller: &Caller,
    id: &str,
) -> Result<&'a ScheduledEvent, ApiError> {
    let event = bookings.event(id).ok_or_else(ApiError::not_found)?;
    if may_see(state, caller, event) {
        Ok(event)
    } else {
        Err(ApiError::not_yours())
    }
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let time = text.parse().ok().filter(|_| text.ends_with('Z'));
    let wrong = || ApiError::invalid(name, "must be a valid UTC time");
    time.map(Some).ok_or_else(wrong)
}

/// Whose events a list is of.
enum Whose {
    Organization(String),
    User(String),
    Group(Group),
}

fn whose(state: &Held, caller: &Caller, params: &Params) -> Result<Whose, ApiError> {
    let (me, mine) = (&caller.user.id, &caller.user.organization);
    let organization = params.get("organization").map(|uri| ids::last_part(uri));
    let user = params.get("user").map(|uri| ids::last_part(uri));
    if organization.is_some_and(|id| id != mine) {
        return Err(ApiError::not_yours());
    }
    if let Some(group) = params.get("group") {
        let group = state.accounts.group(group);
        let group = group.filter(|group| caller.leads(group));
        return group
            .cloned()
            .map(Whose::Group)
            .ok_or_else(ApiError::not_yours);
    }
    match (user, organization) {
        (Some(user), None) if user != me => {
            Err(ApiError::denied("Please also specify organization"))
        }
        (Some(user), _) => {
            let found = state.accounts.user(user);
            if found.is_none_or(|found| found.organization != *mine) {
                return Err(ApiError::denied("This user is not in your organization"));
            }
            if user != me && !caller.user.role.sees_all() {
                return Err(ApiError::not_yours());
            }
            Ok(Whose::User(user.to_owned()))
        }
        (None, Some(_)) if !caller.user.role.sees_all() => Err(ApiError::not_yours()),
        (None, Some(id)) => Ok(Whose::Organization(id.to_owned())),
        (None, None) => Err(ApiError::invalid(
            "organization",
            "user, organization or group must be given",
        )),
    }
}

/// `GET /scheduled_events`.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(lag): Extension<Lag>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/scheduled_events", &params)?;
    let status = one_of(&params, "status", &["active", "canceled"])?;
    let sort = one_of(&params, "sort", &["start_time:asc", "start_time:desc"])?;
    let (from, to) = (
        time(&params, "min_start_time")?,
        time(&params, "max_start_time")?,
    );
    let email = params.get("invitee_email");
    let state = app.state();
    let whose = whose(&state, &caller, &params)?;
    let wanted = |event: &&ScheduledEvent| {
        let theirs = match &whose {
            Whose::Organization(id) => event.organization == *id,
            Whose::User(id) => event.has_host(id),
            Whose::Group(group) => event.hosts.iter().any(|host| group.has(&host.id)),
        };
        theirs
            && event.organization == caller.user.organization
            && status.is_none_or(|status| event.status() == status)
            && from.is_none_or(|from| event.start >= from)
            && to.is_none_or(|to| event.start <= to)
            && email.is_none_or(|email| event.invitees.iter().any(|i| i.person.email == *email))
    };
    let bookings = lag.sees(&state.bookings);
    let mut rows: Vec<_> = bookings.events().filter(wanted).collect();
    rows.sort_by_key(|event| (event.start, event.created_at));
    if sort == Some("start_time:desc") {
        rows.reverse();
    }
    Ok(Json(page.of(&rows, |event| event.json())))
}

/// `GET /scheduled_events/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(lag): Extension<Lag>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let bookings = lag.sees(&state.bookings);
    let event = visible(&state, &bookings, &caller, &id)?;
    Ok(Json(json!({"resource": event.json()})))
}

/// `POST /scheduled_events/{id}/cancellation`: the event, with all of its invitees.
pub(super) async fn cancel(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Given(body): Given,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    caller.needs("scheduled_events:write")?;
    let reason = reason(&body)?;
    let mut state = app.state();
    let state = &mut *state;
    let event = visible(state, &state.bookings, &caller, &id)?;
    if event.is_active() && event.start <= state.clock.now() {
        return Err(ApiError::denied("Event in the past"));
    }
    let by = Canceler::Host(caller.user.name.clone());
    let canceled = state
        .bookings
        .cancel_event(&mut state.clock, &id, &by, reason);
    let messages = canceled.map_err(|refused| match refused {
        Refused::NotFound => ApiError::not_found(),
        _ => ApiError::denied("Event is already canceled"),
    })?;
    app.announce(state, messages);
    let event = visible(state, &state.bookings, &caller, &id)?;
    let cancellation = event.cancellation.as_ref().map(|by| by.json());
    let body = json!({"resource": cancellation});
    Ok((StatusCode::CREATED, Json(body)))
}

fn reason(body: &Value) -> Result<Option<String>, ApiError> {
    match &body["reason"] {
        Value::Null => Ok(None),
        Value::String(reason) if reason.chars().count() <= 10_000 => Ok(Some(reason.clone())),
        _ => Err(ApiError::invalid(
            "reason",
            "must be up to 10000 characters",
        )),
    }
}
