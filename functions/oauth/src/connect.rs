//! Connecting an account whose token is there, and disconnecting one.

use crate::callback::bad;
use crate::handler::{Connector, Reply, data, unavailable, unknown_connection};
use booking::ConnectionId;
use calendly::api::{Access, ApiError, Client, Urgency, User};
use calendly::oauth::{Grant, OAuth};
use contract::answers::{Connected, Disconnected};
use contract::requests::ConnectRequest;
use contract::{is_id, required_object};
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::connections::{
    Connection, LEASE, Lease, LeaseFor, STORE, STORING, TokenError, TokenKeeper, Tokens, Vault,
    WAIT, WatchError, Watched, newest, unsubscribe_all, watch,
};
use platform::http::{Problem, TrackingId};
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Kept free for storing a new account's tokens, and for what comes between reading whose they are
/// and that.
const KEEPING: Duration = STORE.saturating_add(Duration::from_secs(2));
/// Kept free for noting a subscription that was made.
const NOTING: Duration = Duration::from_secs(5);

/// How long to wait for the name of an account: a page does without, if need be.
const NAME_WAIT: Duration = Duration::from_secs(10);
/// The longest part of a name or an address that is shown, in characters.
const MAX_NAME: usize = 100;

/// What may be left at Calendly of a connection.
const SUBSCRIPTION: &str = "the webhook subscription";
/// The same of its tokens.
const ACCESS: &str = "the access";

/// Tokens that are stored.
pub(crate) type Kept<V> = TokenKeeper<Option<OAuth>, V>;

/// A token that is used as it is: it was granted a moment ago.
struct Fresh(String);

impl Access for Fresh {
    async fn token(&self) -> Result<String, ApiError> {
        Ok(self.0.clone())
    }

    async fn token_after(&self, _: &str) -> Result<String, ApiError> {
        Err(ApiError::Unauthenticated {
            action: "use a token that was just granted",
        })
    }
}

/// An account that Calendly has told of.
pub(crate) struct Account {
    id: ConnectionId,
    user: User,
    /// Calendly does not answer just now.
    away: bool,
    /// The version of its first tokens, where it isn't connected yet.
    version: Option<String>,
}

impl Account {
    fn of(user: User, away: bool) -> Result<Self, Problem> {
        let id = ConnectionId::from_user_uri(&user.uri).map_err(|_| {
            calendly_failed(ApiError::Unreadable {
                action: "read the account",
                field: "uri",
            })
        })?;
        Ok(Self {
            id,
            user,
            away,
            version: None,
        })
    }
}

/// What an account is connected with.
pub(crate) struct Means<'a> {
    /// Its tokens, which are stored.
    pub(crate) tokens: &'a Tokens,
    /// What they may be used for.
    pub(crate) scopes: &'a [String],
    /// What its webhooks are to be signed with, if not with the app's own key.
    pub(crate) signing_key: Option<&'a str>,
}

/// What people are told of an account that was connected: to `user` alone whose it is, which is
/// neither kept nor logged.
pub(crate) fn sentence(subscribed: bool, user: Option<&User>) -> String {
    let account = user.and_then(named).map_or_else(
        || "This Calendly account is connected".to_owned(),
        |named| format!("The Calendly account of {named} is connected"),
    );
    if subscribed {
        format!("{account}, and Calendly will send its bookings here. You can close this page.")
    } else {
        format!(
            "{account}, but Calendly did not make the webhook subscription yet. The next sync tries \
             again; the operators' log says why. You can close this page."
        )
    }
}

fn named(user: &User) -> Option<String> {
    let text = |field: &Option<String>| {
        let text = field.as_deref()?.trim();
        let short: String = text.chars().take(MAX_NAME).collect();
        (!short.is_empty()).then_some(short)
    };
    match (text(&user.name), text(&user.email)) {
        (Some(name), Some(email)) => Some(format!("{name} ({email})")),
        (name, email) => name.or(email),
    }
}

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    /// Reads whose tokens these are.
    pub(crate) async fn identify(
        &self,
        tokens: &Tokens,
        until: Instant,
    ) -> Result<Account, Problem> {
        let client = self.calendly(tokens, before(until, KEEPING));
        let user = client.me().await.map_err(calendly_failed)?;
        Account::of(user, false)
    }

    /// Reads whose grant this is: the user, or where Calendly doesn't answer that just now, what it
    /// said with the tokens. They work once, and would be lost with the answer: so it isn't waited for
    /// longer than leaves time to store them.
    pub(crate) async fn owner(
        &self,
        grant: &Grant,
        tokens: &Tokens,
        until: Instant,
    ) -> Result<Account, Problem> {
        let client = self.calendly(tokens, before(until, KEEPING));
        let error = match client.me().await {
            Ok(user) => return Account::of(user, false),
            Err(error) => error,
        };
        match (&error, &grant.owner, &grant.organization) {
            (
                ApiError::Unreachable { .. }
                | ApiError::RateLimited { .. }
                | ApiError::Status { .. }
                | ApiError::Unreadable { .. }
                | ApiError::Gateway { .. }
                | ApiError::OutOfTime { .. },
                Some(owner),
                Some(organization),
            ) => {
                tracing::warn!(%error, "account not read");
                let user = User {
                    uri: owner.clone(),
                    current_organization: organization.clone(),
                    name: None,
                    email: None,
                };
                Account::of(user, true)
            }
            _ => Err(calendly_failed(error)),
        }
    }

    /// The user of a connection, as far as Calendly tells now.
    pub(crate) async fn user(&self, connection: &Connection, until: Instant) -> Option<User> {
        let until = until.min(Instant::now() + NAME_WAIT);
        let client = self.calendly_as(&connection.id, until).await;
        client.me().await.ok()
    }

    /// Stores an account's tokens: before the connection, which without them could do nothing.
    pub(crate) async fn keep(
        &self,
        mut account: Account,
        tokens: &Tokens,
        until: Instant,
    ) -> Result<Account, Problem> {
        let id = &account.id;
        let version = ambient::uuid();
        // A refresh under way would put the former grant's tokens over these, and who disconnects the
        // account would take them away. A new account has no lease to be taken.
        let by = before(until, STORE);
        let right = timeout_at(by, self.right_to_store(id, &version, by)).await;
        let right = right.unwrap_or_else(|_| Err(busy()))?;
        let written = self.vault.write(id, tokens, &version);
        let written = timeout_at(until, written).await;
        match written {
            Ok(Ok(())) => {}
            // Perhaps they are there: the lease ends when that is seen.
            Ok(Err(error)) => return Err(unavailable(error)),
            Err(_) => return Err(Problem::unavailable()),
        }
        match right {
            Some(lease) => {
                let noted = self.connections.give_back(id, &lease, Some(&version)).await;
                if let Err(error) = noted {
                    tracing::warn!(connection = id.as_str(), %error, "lease not given back");
                }
            }
            None => account.version = Some(version),
        }
        Ok(account)
    }

    /// The right to write tokens as `version`, waited for as long as there is time; none is needed
    /// where there is no connection.
    async fn right_to_store(
        &self,
        id: &ConnectionId,
        version: &str,
        by: Instant,
    ) -> Result<Option<Lease>, Problem> {
        let wait = by.saturating_duration_since(Instant::now());
        let connections = &self.connections;
        let lease = connections.wait_for(id, LeaseFor::Refresh, STORING, wait);
        let Some(lease) = lease.await.map_err(unavailable)? else {
            return match connections.get(id).await.map_err(unavailable)? {
                Some(_) => Err(busy()),
                None => Ok(None),
            };
        };
        match connections.announce(id, &lease, version).await {
            Ok(true) => Ok(Some(lease)),
            Ok(false) => Err(busy()),
            Err(error) => {
                self.give_back(id, &lease).await;
                Err(unavailable(error))
            }
        }
    }

    /// Calendly, with the tokens of a connection, renewed where needed, for a request that is answered
    /// before `until`.
    pub(crate) async fn calendly_as(&self, id: &ConnectionId, until: Instant) -> Client<Kept<V>> {
        let keeper = TokenKeeper {
            connections: self.connections.clone(),
            vault: self.vault.clone(),
            oauth: self.oauth().await.ok(),
            id: id.clone(),
            until,
        };
        let http = self.http.clone();
        Client::new(http, &self.endpoints, keeper, Urgency::Interactive).until(until)
    }

    /// A connection by the id in a path or a parameter.
    pub(crate) async fn connection(&self, id: &str) -> Result<Option<Connection>, Problem> {
        if !is_id(id) {
            return Ok(None);
        }
        let uri = format!("https://api.calendly.com/users/{id}");
        match ConnectionId::from_user_uri(&uri) {
            Ok(id) => self.connections.get(&id).await.map_err(unavailable),
            Err(_) => Ok(None),
        }
    }

    fn calendly(&self, tokens: &Tokens, until: Instant) -> Client<Fresh> {
        let access = Fresh(tokens.access_token.clone());
        let http = self.http.clone();
        Client::new(http, &self.endpoints, access, Urgency::Interactive).until(until)
    }

    /// Connects an account whose tokens are stored: makes the connection, or renews it, and the
    /// webhook subscription. What fails from here on can be tried again with the same tokens.
    pub(crate) async fn connect(
        &self,
        request: &Request,
        account: Account,
        means: Means<'_>,
        until: Instant,
        tracking_id: &TrackingId,
    ) -> Result<Reply, Problem> {
        let Account {
            id,
            user,
            away,
            version,
        } = account;
        let base = self.base_url(request);
        self.connections
            .authorized(
                &id,
                &user.uri,
                &user.current_organization,
                means.scopes,
                &base,
            )
            .await
            .map_err(unavailable)?;
        if let Some(version) = version {
            let noted = self.connections.first_kept(&id, &version).await;
            noted.map_err(unavailable)?;
        }
        let stored = self.connections.get(&id).await.map_err(unavailable)?;
        let connection = stored.ok_or_else(Problem::unavailable)?;
        // Bookings made before the subscription are told of by no webhook. The sync looks at the
        // subscription before it lists them, and waits for whoever is making one; so it can be queued
        // before Calendly is asked for anything more. Should this fail, the next scheduled sync finds
        // them.
        let first_sync = SyncJob {
            connection_id: Some(id.clone()),
            first: true,
            ..SyncJob::default()
        };
        if let Err(error) = self.jobs.push(&first_sync, Duration::ZERO).await {
            tracing::error!(trackingId = %tracking_id, connection = id.as_str(), %error, "first sync not queued");
        }
        // The account is connected; what is missing is made good by the next sync.
        let subscribed = !away
            && match self.subscribed(&connection, &means, until).await {
                Ok(Watched::Healthy | Watched::Replaced) => true,
                Err(error) => {
                    tracing::error!(trackingId = %tracking_id, connection = id.as_str(), %error, "not subscribed");
                    false
                }
            };
        tracing::info!(trackingId = %tracking_id, connection = id.as_str(), outcome = "connected", subscribed, "connection");
        let sentence = sentence(subscribed, Some(&user));
        let connected = data(Connected {
            message: "Authorization successful",
            user_uri: user.uri,
            organization_uri: user.current_organization,
            connection_id: id,
            subscribed,
        })?;
        Ok(match connected {
            Reply::Data(status, data) => Reply::Done(status, data, sentence),
            other => other,
        })
    }

    /// Brings the subscription of a new connection in order, or stops trying before `until`.
    async fn subscribed(
        &self,
        connection: &Connection,
        means: &Means<'_>,
        until: Instant,
    ) -> Result<Watched, WatchError> {
        let client = self.calendly(means.tokens, before(until, NOTING));
        let watched = watch(&client, &self.connections, connection, means.signing_key);
        // A lease that is left behind ends by itself.
        let watched = timeout_at(until, watched).await;
        watched.unwrap_or(Err(WatchError::Busy))
    }

    /// `POST /v1/connections`: a personal access token in place of OAuth, for one's own account.
    pub(crate) async fn connect_own(
        &self,
        request: &Request,
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let own: ConnectRequest = required_object(request, "{\"personalAccessToken\": \"…\"}")?;
        let token = own.personal_access_token.trim();
        if token.is_empty() {
            return Err(Problem::parameter("personalAccessToken", "is empty"));
        }
        // Others can't stand in the header that takes it to Calendly.
        if !token.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(Problem::parameter(
                "personalAccessToken",
                "must be as Calendly shows it: letters, digits and signs of ASCII, without spaces",
            ));
        }
        // Calendly signs such an account's webhooks only with a key that is sent along.
        let secrets = self.app.values().await.map_err(unavailable)?;
        let signing_key = secrets.first().map(|secret| secret.signing_key.clone());
        let signing_key = signing_key.filter(|key| !key.is_empty()).ok_or_else(|| {
            bad(
                "SIGNING_KEY_MISSING",
                "the Calendly secret has no signingKey; put one there first",
            )
        })?;
        let tokens = Tokens {
            access_token: token.to_owned(),
            refresh_token: None,
            expires_at: None,
        };
        let account = self.identify(&tokens, until).await?;
        let account = self.keep(account, &tokens, until).await?;
        let means = Means {
            tokens: &tokens,
            scopes: &[],
            signing_key: Some(&signing_key),
        };
        self.connect(request, account, means, until, tracking_id)
            .await
    }

    /// `DELETE /v1/connections/{id}`: deletes the subscription, revokes, forgets. In this order:
    /// without its token a subscription could not be deleted any more. Safe to repeat.
    ///
    /// It holds the leases of whoever could bring back what it takes away: a watchdog that makes a
    /// subscription, and a refresh that stores tokens. They go with the connection.
    pub(crate) async fn disconnect(
        &self,
        id: &str,
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let connection = self.connection(id).await?.ok_or_else(unknown_connection)?;
        let id = &connection.id;
        let watching = self.lease(id, LeaseFor::Watch).await?;
        let left = self.take_away(id, until, tracking_id).await;
        if left.is_err() {
            self.give_back(id, &watching).await;
        }
        let left = left?;
        tracing::info!(trackingId = %tracking_id, connection = id.as_str(), outcome = "disconnected", "connection");
        data(Disconnected {
            message: "Disconnected",
            connection_id: id.clone(),
            left_at_calendly: left,
        })
    }

    /// Answers what could not be taken away at Calendly.
    async fn take_away(
        &self,
        id: &ConnectionId,
        until: Instant,
        tracking_id: &TrackingId,
    ) -> Result<Vec<&'static str>, Problem> {
        let mut left = Vec::new();
        // Read with the lease: what it remembers of subscriptions changes no more.
        let connection = self.connections.get(id).await.map_err(unavailable)?;
        let connection = connection.ok_or_else(unknown_connection)?;
        if self.newest_tokens(&connection).await?.is_some() {
            let client = self.calendly_as(id, until).await;
            if let Err(error) = unsubscribe_all(&client, &connection).await {
                if error.is_transient() {
                    return Err(watch_failed(error));
                }
                // A token that Calendly no longer takes can't delete anything, and one of a member not
                // what was made for the organization.
                left.push(SUBSCRIPTION);
            }
        } else {
            // What a try before this one had done at Calendly nobody knows any more.
            left.extend([SUBSCRIPTION, ACCESS]);
        }
        // Only now: the calls above may have had to renew the tokens themselves.
        let refreshing = self.lease(id, LeaseFor::Refresh).await?;
        let forgotten = self.revoke_and_forget(id, tracking_id, &mut left).await;
        if forgotten.is_err() {
            self.give_back(id, &refreshing).await;
        }
        forgotten.map(|()| left)
    }

    async fn revoke_and_forget(
        &self,
        id: &ConnectionId,
        tracking_id: &TrackingId,
        left: &mut Vec<&'static str>,
    ) -> Result<(), Problem> {
        // Read again: they may have been renewed.
        let connection = self.connections.get(id).await.map_err(unavailable)?;
        let tokens = match connection {
            Some(connection) => self.newest_tokens(&connection).await?,
            None => None,
        };
        if let Some(refresh_token) = tokens.and_then(|tokens| tokens.refresh_token) {
            let revoked = self.oauth().await?.revoke(&refresh_token).await;
            if let Err(error) = revoked {
                tracing::warn!(trackingId = %tracking_id, %error, "tokens not revoked");
                left.push(ACCESS);
            }
        }
        self.vault.forget(id).await.map_err(unavailable)?;
        self.connections.remove(id).await.map_err(unavailable)?;
        Ok(())
    }

    async fn newest_tokens(&self, connection: &Connection) -> Result<Option<Tokens>, Problem> {
        match newest(&self.vault, connection).await {
            Ok(newest) => Ok(newest.map(|newest| newest.stored.tokens)),
            Err(TokenError::Store(error)) => Err(unavailable(error)),
            Err(_) => Err(busy()),
        }
    }

    async fn lease(&self, id: &ConnectionId, kind: LeaseFor) -> Result<Lease, Problem> {
        let lease = self.connections.wait_for(id, kind, LEASE, WAIT).await;
        lease.map_err(unavailable)?.ok_or_else(busy)
    }

    /// Not given back it ends by itself.
    async fn give_back(&self, id: &ConnectionId, lease: &Lease) {
        if let Err(error) = self.connections.release(id, lease).await {
            tracing::warn!(connection = id.as_str(), %error, "lease not given back");
        }
    }
}

/// So long before `until`; now, if that is over.
fn before(until: Instant, time: Duration) -> Instant {
    until.checked_sub(time).unwrap_or_else(Instant::now)
}

pub(crate) fn watch_failed(error: WatchError) -> Problem {
    match error {
        WatchError::Calendly(error) => calendly_failed(error),
        WatchError::Store(error) => unavailable(error),
        WatchError::Busy => busy(),
    }
}

fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "STORE_UNAVAILABLE",
        "this connection is at work: its tokens are being renewed, or its subscription checked; try \
         again in a minute",
    )
}

pub(crate) fn calendly_failed(error: ApiError) -> Problem {
    tracing::error!(%error, "Calendly did not do it");
    let (status, code) = match &error {
        ApiError::Unauthenticated { .. } => (StatusCode::BAD_REQUEST, "TOKEN_REFUSED"),
        ApiError::MissingScope { .. } => (StatusCode::FORBIDDEN, "MISSING_SCOPE"),
        ApiError::OutOfTime { .. }
        | ApiError::NoToken {
            transient: true, ..
        } => (StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE"),
        _ => (StatusCode::BAD_GATEWAY, "CALENDLY_UNAVAILABLE"),
    };
    Problem::new(status, code, error.to_string())
}
