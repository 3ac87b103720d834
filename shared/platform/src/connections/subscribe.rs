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

/// How much a subscription tells of, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// One user's events.
    User,
    /// An organization's.
    Organization,
    /// Its routing forms, too.
    RoutingForms,
}

impl Reach {
    /// That of a subscription. Where Calendly doesn't say, it has all: it is not to be replaced.
    pub(super) fn of(subscription: &Subscription) -> Self {
        let events = &subscription.events;
        let forms = events.is_empty() || events.iter().any(|event| event == ROUTING_FORMS);
        match subscription.scope {
            Scope::User | Scope::Group => Self::User,
            Scope::Organization if !forms => Self::Organization,
            Scope::Organization | Scope::Unknown => Self::RoutingForms,
        }
    }

    /// The most that a connection may ask for.
    pub(super) fn most(connection: &Connection) -> Self {
        // Without its scope Calendly refuses the whole subscription. Older apps don't tell theirs.
        if covers(&connection.scopes, "routing_forms:read") {
            Self::RoutingForms
        } else {
            Self::Organization
        }
    }

    fn scope(self) -> Scope {
        match self {
            Self::User => Scope::User,
            Self::Organization | Self::RoutingForms => Scope::Organization,
        }
    }

    fn events(self) -> Vec<String> {
        let forms = (self == Self::RoutingForms).then_some(ROUTING_FORMS);
        let events = EVENTS.into_iter().chain(forms);
        events.map(str::to_owned).collect()
    }
}

/// Where a new subscription sends, and what it is signed with.
pub(super) struct Hook<'a> {
    /// How its URL begins.
    pub(super) prefix: &'a str,
    /// The key that is sent along.
    pub(super) signing_key: Option<&'a str>,
}

/// Makes a subscription with as much as the account may: its organization with routing forms,
/// without, or only the user's own events; but with more than `above`.
pub(super) async fn make<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    hook: &Hook<'_>,
    above: Option<Reach>,
) -> Result<Subscription, WatchError> {
    let mut refused = ApiError::AlreadyExists {
        action: "make a webhook subscription",
    };
    let most = Reach::most(connection);
    for reach in [Reach::RoutingForms, Reach::Organization, Reach::User] {
        if reach > most || Some(reach) <= above {
            continue;
        }
        match make_one(client, store, connection, hook, reach).await {
            // A plan, a role, or a scope that the token lacks (which Calendly answers with 400).
            Err(WatchError::Calendly(
                error @ (ApiError::Forbidden { .. }
                | ApiError::MissingScope { .. }
                | ApiError::Status { status: 400, .. }),
            )) => refused = error,
            result => return result,
        }
    }
    Err(refused.into())
}

async fn make_one<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    hook: &Hook<'_>,
    reach: Reach,
) -> Result<Subscription, WatchError> {
    for _ in 0..MAX_TAKEN {
        // Counted before it is used: a run that is stopped in between leaves a gap, not a clash.
        let generation = store.next_generation(&connection.id).await?;
        let new = NewSubscription {
            url: format!("{}{generation}", hook.prefix),
            events: reach.events(),
            organization: connection.organization_uri.clone(),
            user: (reach == Reach::User).then(|| connection.user_uri.clone()),
            scope: reach.scope(),
            signing_key: hook.signing_key.map(str::to_owned),
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
