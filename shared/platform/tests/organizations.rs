//! Where an account is and was, and who lists all of an organization.

#![allow(clippy::unwrap_used)] // helpers of tests

use booking::ConnectionId;
use platform::connections::{Connection, ConnectionStore};
use testkit::dynamo::{Crashes, Dynamo};

const USER: &str = "https://api.calendly.com/users/U1";
const FIRST: &str = "https://api.calendly.com/organizations/O1";
const SECOND: &str = "https://api.calendly.com/organizations/O2";

fn id() -> ConnectionId {
    ConnectionId::from_user_uri(USER).unwrap()
}

struct Stage {
    _dynamo: Dynamo,
    /// Counts and stops writes.
    calls: Crashes,
    connections: ConnectionStore,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.connections("connections").await;
        let calls = Crashes::none();
        let client = dynamo.crashing(&calls);
        Self {
            _dynamo: dynamo,
            calls,
            connections: ConnectionStore::new(client, "connections".to_owned()),
        }
    }

    async fn authorized(&self, organization: &str) -> Connection {
        let (id, base) = (id(), "https://example.com");
        let made = self
            .connections
            .authorized(&id, USER, organization, &[], base);
        made.await.unwrap();
        self.now().await
    }

    async fn now(&self) -> Connection {
        self.connections.get(&id()).await.unwrap().unwrap()
    }

    async fn listers(&self, organization: &str) -> Vec<ConnectionId> {
        self.connections.listers(organization).await.unwrap()
    }
}

#[tokio::test]
async fn an_account_that_comes_from_another_organization_is_marked_and_stays_so() {
    let stage = Stage::new().await;
    assert_eq!(stage.authorized(FIRST).await.organization_since, None);
    assert_eq!(stage.authorized(FIRST).await.organization_since, None);
    let moved = stage.authorized(SECOND).await;
    assert!(moved.organization_since.is_some());
    let again = stage.authorized(SECOND).await;
    assert_eq!(again.organization_since, moved.organization_since);
    let back = stage.authorized(FIRST).await;
    assert!(back.organization_since > moved.organization_since);
}

#[tokio::test]
async fn it_is_also_after_it_was_disconnected() {
    let stage = Stage::new().await;
    stage.authorized(FIRST).await;
    assert!(stage.connections.remove(&id()).await.unwrap());
    assert!(!stage.connections.remove(&id()).await.unwrap());
    let same = stage.authorized(FIRST).await;
    assert_eq!(same.organization_since, None, "it was nowhere else");
    stage.connections.remove(&id()).await.unwrap();
    assert!(stage.authorized(SECOND).await.organization_since.is_some());
    stage.connections.remove(&id()).await.unwrap();
    assert!(stage.authorized(SECOND).await.organization_since.is_some());
}

#[tokio::test]
async fn a_run_that_found_it_elsewhere_does_not_undo_a_newer_authorization() {
    let stage = Stage::new().await;
    let seen = stage.authorized(FIRST).await;
    stage.connections.moved(&seen, SECOND).await.unwrap();
    let moved = stage.now().await;
    assert_eq!(moved.organization_uri, SECOND);
    assert!(moved.organization_since.is_some());
    let authorized = stage.authorized(FIRST).await;
    stage.connections.moved(&seen, SECOND).await.unwrap();
    assert_eq!(stage.now().await, authorized);
}

#[tokio::test]
async fn who_lists_all_is_found_by_the_organization_and_written_once() {
    let stage = Stage::new().await;
    let connection = stage.authorized(FIRST).await;
    assert_eq!(stage.listers(FIRST).await, []);
    let connections = &stage.connections;
    connections.lists_all(&connection, true).await.unwrap();
    assert_eq!(stage.listers(FIRST).await, [id()]);
    let written = stage.calls.writes();
    let connection = stage.now().await;
    connections.lists_all(&connection, true).await.unwrap();
    assert_eq!(stage.calls.writes(), written);

    connections.lists_all(&connection, false).await.unwrap();
    assert_eq!(stage.listers(FIRST).await, []);
    let connection = stage.now().await;
    let written = stage.calls.writes();
    connections.lists_all(&connection, false).await.unwrap();
    assert_eq!(stage.calls.writes(), written);
}

#[tokio::test]
async fn who_lists_all_elsewhere_or_is_disconnected_is_not_found_any_more() {
    let stage = Stage::new().await;
    let connection = stage.authorized(FIRST).await;
    let connections = &stage.connections;
    connections.lists_all(&connection, true).await.unwrap();
    let connection = stage.authorized(SECOND).await;
    connections.lists_all(&connection, true).await.unwrap();
    assert_eq!(stage.listers(FIRST).await, []);
    assert_eq!(stage.listers(SECOND).await, [id()]);
    connections.remove(&id()).await.unwrap();
    assert_eq!(stage.listers(SECOND).await, []);
}
