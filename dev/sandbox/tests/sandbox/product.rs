//! The product's own client against the sandbox: both must mean the same Calendly.

use super::support::*;
use calendly::api::{
    Access, ApiError, Client, Endpoints, EventWindow, NewSubscription, Owner, Pages, Scope,
    SubscriptionState, Turned, Urgency,
};
use calendly::oauth::{App, OAuth, OAuthError, Pkce, REQUIRED_SCOPES};
use reqwest::{Method, Url};
use sandbox::Options;
use serde_json::json;
use std::collections::BTreeSet;

const BACK: &str = "http://127.0.0.1:9/callback";

/// One token, without another after it.
struct Fixed(String);

impl Access for Fixed {
    async fn token(&self) -> Result<String, ApiError> {
        Ok(self.0.clone())
    }

    async fn token_after(&self, _: &str) -> Result<String, ApiError> {
        Err(ApiError::Unauthenticated { action: "renew" })
    }
}

fn endpoints(desk: &Desk) -> Endpoints {
    Endpoints {
        api: desk.sandbox.base_url().to_owned(),
        auth: desk.sandbox.base_url().to_owned(),
    }
}

fn oauth(desk: &Desk) -> OAuth {
    let options = Options::default();
    let app = App {
        client_id: options.client_id,
        client_secret: options.client_secret,
    };
    OAuth::new(desk.http.clone().into(), &endpoints(desk), app)
}

fn client(desk: &Desk, token: &str) -> Client<Fixed> {
    let access = Fixed(token.to_owned());
    Client::new(
        desk.http.clone().into(),
        &endpoints(desk),
        access,
        Urgency::Interactive,
    )
}

#[tokio::test]
async fn an_account_is_connected_refreshed_and_revoked() {
    let desk = start().await;
    let oauth = oauth(&desk);
    let pkce = Pkce::from_random([7; 32]);
    let url = oauth
        .authorize_url(BACK, "state", &pkce, &REQUIRED_SCOPES)
        .unwrap();
    let answer = desk
        .http
        .get(format!("{url}&auto=approve"))
        .send()
        .await
        .unwrap();
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let code = code.1.into_owned();

    let grant = oauth.exchange(&code, BACK, &pkce).await.unwrap();
    assert!(grant.missing_scopes().is_empty());
    let me = client(&desk, &grant.access_token).me().await.unwrap();
    assert_eq!(
        (me.uri.as_str(), me.current_organization.as_str()),
        (DANA, ORGANIZATION)
    );

    let renewed = oauth.refresh(&grant.refresh_token).await.unwrap();
    let reused = oauth.refresh(&grant.refresh_token).await;
    assert_eq!(reused.unwrap_err(), OAuthError::InvalidGrant);
    oauth.revoke(&renewed.access_token).await.unwrap();
    let refused = client(&desk, &renewed.access_token).me().await;
    assert!(matches!(refused, Err(ApiError::Unauthenticated { .. })));
}

#[tokio::test]
async fn every_event_is_read_with_its_invitees_and_the_rate_limit() {
    let desk = start().await;
    desk.post("/bookings/bulk", json!({"count": 250})).await;
    let client = client(&desk, &desk.token);
    let window = EventWindow {
        from: jiff::Timestamp::now(),
        to: "2099-01-01T00:00:00Z".parse().unwrap(),
    };
    let (mut ids, mut pages) = (BTreeSet::new(), Pages::default());
    loop {
        let owner = Owner::Organization(ORGANIZATION);
        let page = client.events(owner, &window, pages.token()).await.unwrap();
        for event in &page.items {
            let uri = event["uri"].as_str().unwrap();
            assert!(ids.insert(uri.rsplit('/').next().unwrap().to_owned()));
        }
        match pages.turn(page.next, 10) {
            Turned::More => {}
            turned => {
                assert_eq!(turned, Turned::End);
                break;
            }
        }
    }
    assert_eq!(ids.len(), 250);
    let first = ids.first().unwrap();
    let invitees = client.invitees(first).await;
    assert_eq!(invitees.items.len(), 1);
    assert_eq!(client.rate_limit().unwrap().remaining, 500 - 4);
}

#[tokio::test]
async fn a_subscription_is_made_found_taken_and_deleted() {
    let desk = start().await;
    let client = client(&desk, &desk.token);
    let new = NewSubscription {
        url: "https://hooks.example.com/v1/webhooks/calendly/1".to_owned(),
        events: vec!["invitee.created".to_owned(), "invitee.canceled".to_owned()],
        organization: ORGANIZATION.to_owned(),
        user: None,
        scope: Scope::Organization,
        signing_key: None,
    };
    let made = client.subscribe(&new).await.unwrap();
    assert_eq!(made.state, SubscriptionState::Active);
    let again = client.subscribe(&new).await;
    assert!(matches!(again, Err(ApiError::AlreadyExists { .. })));
    let path = format!("/subscriptions/{}/disable", made.id());
    desk.control(Method::POST, &path, json!({})).await;
    let listed = client.subscriptions(ORGANIZATION, None).await;
    assert_eq!(listed.items[0].state, SubscriptionState::Disabled);
    client.unsubscribe(made.id()).await.unwrap();
    client.unsubscribe(made.id()).await.unwrap();
    let listed = client.subscriptions(ORGANIZATION, None).await;
    assert!(listed.items.is_empty());
}
