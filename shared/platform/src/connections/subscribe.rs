//! Making a webhook subscription, with as much as an account may have.

use super::store::{Connection, ConnectionStore};
use super::subscription::WatchError;
use calendly::api::{Access, ApiError, Client, NewSubscription, Scope, Subscription};
use calendly::oauth::covers;

/// What is subscribed to. Routing forms are told of to organizations only.
pub(super) const EVENTS: [&str; 4] = [
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
];
const ROUTING_FORMS: &str = "routing_form_submission.created";
/// How many URLs are tried that turn out to be taken, by earlier tries that were stopped.
const MAX_TAKEN: usize = 5;

/// Makes a subscription with as much as the account may: its organization with routing forms,
/// without, or only the user's own events.
pub(super) async fn make<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    prefix: &str,
    signing_key: Option<&str>,
) -> Result<Subscription, WatchError> {
    // Without its scope Calendly refuses the whole subscription. Older apps don't tell theirs.
    let routing_forms = covers(&connection.scopes, "routing_forms:read");
    let mut wishes = vec![(Scope::Organization, false), (Scope::User, false)];
    if routing_forms {
        wishes.insert(0, (Scope::Organization, true));
    }
    let mut refused = None;
    for (scope, routing_forms) in wishes {
        match make_one(
            client,
            store,
            connection,
            prefix,
            signing_key,
            (scope, routing_forms),
        )
        .await
        {
            // A plan, a role, or a scope that the token lacks (which Calendly answers with 400).
            Err(WatchError::Calendly(
                error @ (ApiError::Forbidden { .. }
                | ApiError::MissingScope { .. }
                | ApiError::Status { status: 400, .. }),
            )) => refused = Some(error),
            result => return result,
        }
    }
    Err(refused.map_or_else(
        || {
            ApiError::AlreadyExists {
                action: "make a webhook subscription",
            }
            .into()
        },
        WatchError::Calendly,
    ))
}

async fn make_one<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    prefix: &str,
    signing_key: Option<&str>,
    (scope, routing_forms): (Scope, bool),
) -> Result<Subscription, WatchError> {
    let events = EVENTS
        .into_iter()
        .chain(routing_forms.then_some(ROUTING_FORMS));
    let events: Vec<String> = events.map(str::to_owned).collect();
    for _ in 0..MAX_TAKEN {
        // Counted before it is used: a run that is stopped in between leaves a gap, not a clash.
        let generation = store.next_generation(&connection.id).await?;
        let new = NewSubscription {
            url: format!("{prefix}{generation}"),
            events: events.clone(),
            organization: connection.organization_uri.clone(),
            user: (scope == Scope::User).then(|| connection.user_uri.clone()),
            scope,
            signing_key: signing_key.map(str::to_owned),
        };
        match client.subscribe(&new).await {
            // Of unknown key and state: left to the clean-up, and the next URL is tried.
            Err(ApiError::AlreadyExists { .. }) => {}
            result => return Ok(result?),
        }
    }
    Err(ApiError::AlreadyExists {
        action: "make a webhook subscription",
    }
    .into())
}
