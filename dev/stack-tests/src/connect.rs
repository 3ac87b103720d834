//! Accounts connected by OAuth, and what the API tells of them.

use crate::stack::variable;
use crate::{Account, Answer, Sandbox, Stack};
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, Url};
use serde_json::Value;

/// What a browser accepts.
pub const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// An authorization that began.
pub struct Began {
    /// Where the account's owner goes.
    pub authorize_url: String,
    /// A link that begins another one without an API key.
    pub start_url: String,
    /// Its `state`.
    pub state: String,
}

/// A parameter of a URL.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).expect("a URL");
    let mut pairs = url.query_pairs();
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

impl Stack {
    /// Begins an authorization as a program does.
    pub async fn authorize(&self) -> Began {
        let answer = self.get("/v1/auth/authorize").await.ok();
        let url = |name: &str| answer[name].as_str().expect("a URL").to_owned();
        let authorize_url = url("authorizeUrl");
        Began {
            state: parameter(&authorize_url, "state").expect("a state"),
            start_url: url("startUrl"),
            authorize_url,
        }
    }

    /// Calls the callback where Calendly sent the browser: as a program, or accepting a type.
    pub async fn callback(&self, location: &str, accept: Option<&str>) -> Answer {
        let path = location.strip_prefix(&self.base_url);
        let path = path.unwrap_or_else(|| panic!("not to this stack: {location}"));
        assert!(path.starts_with("/v1/auth/callback?"), "{path}");
        let accept = accept.map(|accept| ("accept", accept));
        self.call(Method::GET, path, accept.as_slice(), None).await
    }

    /// Begins an authorization, and has `account` grant it; where that sends the browser.
    pub async fn approved(&self, sandbox: &Sandbox, account: &Account) -> String {
        let began = self.authorize().await;
        let more = format!("auto=approve&user={}", account.id);
        sandbox.redirect(&began.authorize_url, &more).await
    }

    /// Connects an account by OAuth; the answer.
    pub async fn connect(&self, sandbox: &Sandbox, account: &Account) -> Value {
        let back = self.approved(sandbox, account).await;
        let answer = self.callback(&back, None).await.ok();
        assert_eq!(answer["connectionId"], account.id.as_str());
        assert_eq!(answer["subscribed"], true);
        answer
    }

    /// Disconnects; whatever is answered.
    pub async fn disconnect(&self, id: &str) -> Answer {
        let (path, key) = (
            format!("/v1/connections/{id}"),
            ("x-api-key", &*self.api_key),
        );
        self.call(Method::DELETE, &path, &[key], None).await
    }

    /// A connection as the list shows it, if it does.
    pub async fn connection(&self, id: &str) -> Option<Value> {
        let path = "/v1/connections?limit=100";
        let all = self.pages(path, "connections", 100).await.concat();
        let mut found = all.into_iter().filter(|connection| connection["id"] == id);
        let connection = found.next();
        assert_eq!(found.next(), None, "listed more than once");
        connection
    }

    /// The same but for when it was last compared with Calendly: its first sync comes when it comes.
    pub async fn grant(&self, id: &str) -> Option<Value> {
        let mut connection = self.connection(id).await?;
        connection.as_object_mut()?.remove("comparedAt");
        Some(connection)
    }

    /// The PKCE verifier of an authorization under way.
    pub async fn verifier(&self, state: &str) -> String {
        let get = self.dynamodb.get_item().key("id", pending(state));
        let get = get.table_name(variable("CONNECTIONS_TABLE"));
        let item = get.send().await.unwrap().item.expect("under way");
        item["verifier"].as_s().unwrap().clone()
    }

    /// Makes an authorization under way as old as it may not be.
    pub async fn let_expire(&self, state: &str) {
        let update = self.dynamodb.update_item().key("id", pending(state));
        let past = jiff::Timestamp::now().as_second() - 1;
        update
            .table_name(variable("CONNECTIONS_TABLE"))
            .update_expression("SET expiresAt = :past")
            .condition_expression("attribute_exists(expiresAt)")
            .expression_attribute_values(":past", AttributeValue::N(past.to_string()))
            .send()
            .await
            .unwrap();
    }

    /// The names of the secrets that have `part` in their name.
    pub async fn secrets_named(&self, part: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut pages = self.secrets.list_secrets().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            let all = page.secret_list().iter().filter_map(|secret| secret.name());
            names.extend(all.filter(|name| name.contains(part)).map(str::to_owned));
        }
        names
    }

    /// What the secrets that have `part` in their name are tagged with, as `name=value`, in order.
    pub async fn tags_of_secrets_named(&self, part: &str) -> Vec<String> {
        let mut tags = Vec::new();
        let mut pages = self.secrets.list_secrets().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            let named = page.secret_list().iter();
            let named =
                named.filter(|secret| secret.name().is_some_and(|name| name.contains(part)));
            tags.extend(named.flat_map(|secret| secret.tags().to_vec()));
        }
        let mut tags: Vec<_> = tags
            .iter()
            .map(|tag| format!("{}={}", tag.key().unwrap(), tag.value().unwrap()))
            .collect();
        tags.sort();
        tags
    }
}

fn pending(state: &str) -> AttributeValue {
    AttributeValue::S(format!("pending#{state}"))
}
