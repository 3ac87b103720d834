//! Named API keys: each may do what its scopes say, and no more; and what becomes of callers when
//! keys are added and taken out.

use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Answer, Samples, Stack, eventually, wait_until};
use std::time::Duration;

const SCOPES: [&str; 3] = ["read", "operate", "admin"];

/// Functions keep keys for a minute.
const CACHED: Duration = Duration::from_secs(75);

/// A key of a name that no other test has.
struct Key {
    name: String,
    value: String,
    scopes: Vec<&'static str>,
}

impl Key {
    fn with(scopes: &[&'static str]) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self {
            name: format!("holder-{}", &id[..8]),
            value: format!("key-{id}"),
            scopes: scopes.to_vec(),
        }
    }

    fn listed(&self) -> Value {
        json!({ "name": self.name, "key": self.value, "scopes": self.scopes })
    }

    fn header(&self) -> [(&str, &str); 1] {
        [("x-api-key", &self.value)]
    }

    async fn get(&self, stack: &Stack, path: &str) -> Answer {
        stack.call(Method::GET, path, &self.header(), None).await
    }

    /// Waits until both functions that ask for keys know this one.
    async fn known(&self, stack: &Stack) {
        for path in ["/v1/events?limit=1", "/v1/webhook-subscriptions?cursor=x"] {
            eventually("the key is known", async || {
                let answer = self.get(stack, path).await;
                if answer.status == 401 {
                    Err(answer)
                } else {
                    Ok(())
                }
            })
            .await;
        }
    }
}

fn listed(keys: &[&Key]) -> Value {
    keys.iter().map(|key| key.listed()).collect()
}

/// The line that puts an operating call on record, if there is one for this answer.
fn on_record(stack: &Stack, answer: &Answer) -> Option<Value> {
    let id = answer.tracking_id.as_deref().expect("a tracking id");
    let lines = ["api", "oauth"].map(|function| stack.log_lines(function));
    let mut lines = lines.into_iter().flatten();
    lines.find(|line| line["message"] == "operating call" && line["trackingId"] == id)
}

#[tokio::test]
async fn a_key_passes_where_it_has_the_scope_and_nowhere_else() {
    let stack = Stack::from_env().await;
    let keys: Vec<Key> = SCOPES.iter().map(|scope| Key::with(&[scope])).collect();
    let powerless = Key::with(&[]);
    let all: Vec<&Key> = keys.iter().chain([&powerless]).collect();
    stack
        .with_api_keys(&listed(&all), async || {
            for key in &all {
                key.known(&stack).await;
            }
            let mut refused = Vec::new();
            for operation in stack.keyed_operations().await {
                for key in &all {
                    let may = key.scopes.contains(&operation.scope.as_deref().unwrap());
                    let answer = stack.try_out(&operation, &key.header()).await;
                    if may {
                        let passed = ![401, 403].contains(&answer.status) && answer.status < 500;
                        assert!(passed, "{operation:?}: {answer:?}");
                    } else {
                        assert_eq!(answer.status, 403, "{operation:?} {:?}", key.scopes);
                        assert_eq!(answer.body["code"], "FORBIDDEN", "{operation:?}");
                        refused.push(answer);
                    }
                }
                // The key that may do everything still counts.
                let own = [("x-api-key", stack.api_key.as_str())];
                let answer = stack.try_out(&operation, &own).await;
                assert!(![401, 403].contains(&answer.status), "{operation:?}");
            }
            assert!(refused.len() > 60, "{}", refused.len());
            for answer in refused {
                assert_eq!(on_record(&stack, &answer), None, "{answer:?}");
                let error = answer.problem(403, "FORBIDDEN");
                assert!(error.contains("scope"), "{error}");
            }
        })
        .await;
}

#[tokio::test]
async fn without_the_scope_nothing_is_done() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let email = format!("kept.{}@example.com", uuid::Uuid::new_v4().simple());
    let body = samples.edited("invitee.created", |json| {
        json["payload"]["email"] = email.as_str().into();
    });
    let id = stack.applied(body.clone()).await;
    let before = (
        stack.delivery(&id).await,
        stack.event(&samples.event(1)).await,
    );
    let reader = Key::with(&["read"]);
    let operator = Key::with(&["operate"]);
    let admin = Key::with(&["admin"]);
    let both = Key::with(&["read", "admin"]);
    let all = [&reader, &operator, &admin, &both];
    stack
        .with_api_keys(&listed(&all), async || {
            for key in all {
                key.known(&stack).await;
            }
            let replay = format!("/v1/deliveries/{id}/replay");
            let contact = format!("/v1/contacts/{}", email.replace('@', "%40"));
            for (method, path, keys) in [
                (Method::POST, &replay, [&reader, &admin]),
                (Method::DELETE, &contact, [&reader, &operator]),
            ] {
                for key in keys {
                    let answer = stack.call(method.clone(), path, &key.header(), None).await;
                    answer.problem(403, "FORBIDDEN");
                }
            }
            let after = (
                stack.delivery(&id).await,
                stack.event(&samples.event(1)).await,
            );
            assert_eq!(after, before);

            // A body is for a key that may read, and may see what people wrote, too.
            let with_body = format!("/v1/deliveries/{id}?body=true");
            for key in [&reader, &admin, &operator] {
                key.get(&stack, &with_body).await.problem(403, "FORBIDDEN");
            }
            assert_eq!(both.get(&stack, &with_body).await.ok()["body"], body);
            let without = reader
                .get(&stack, &format!("/v1/deliveries/{id}"))
                .await
                .ok();
            assert_eq!(without.get("body"), None);
        })
        .await;
}

#[tokio::test]
async fn an_operating_call_is_on_record_with_the_keys_name() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let id = stack.applied(samples.body("invitee.created")).await;
    let key = Key::with(&["read", "operate", "admin"]);
    stack
        .with_api_keys(&listed(&[&key]), async || {
            key.known(&stack).await;
            let nobody = "/v1/contacts/nobody.at.all%40example.com".to_owned();
            for (method, path, body, operation) in [
                (
                    Method::POST,
                    format!("/v1/deliveries/{id}/replay"),
                    None,
                    "replay",
                ),
                (Method::DELETE, nobody, None, "eraseContact"),
                (
                    Method::POST,
                    "/v1/erasures?dryRun=true".to_owned(),
                    Some(r#"{"email": "nobody@example.com"}"#.to_owned()),
                    "erase",
                ),
                (
                    Method::POST,
                    "/v1/dead-letters/redrive".to_owned(),
                    Some(r#"{"dryRun": true}"#.to_owned()),
                    "redrive",
                ),
                (
                    Method::POST,
                    "/v1/sync".to_owned(),
                    Some("[]".to_owned()),
                    "sync",
                ),
                (
                    Method::GET,
                    format!("/v1/deliveries/{id}?body=true"),
                    None,
                    "readBody",
                ),
                (
                    Method::DELETE,
                    "/v1/connections/nobody".to_owned(),
                    None,
                    "disconnect",
                ),
            ] {
                let answer = stack.call(method, &path, &key.header(), body).await;
                let line = eventually("the call is on record", async || {
                    on_record(&stack, &answer).ok_or(())
                })
                .await;
                assert_eq!(line["key"], key.name.as_str(), "{line}");
                assert_eq!(line["operation"], operation, "{line}");
                assert!(!line.to_string().contains(&key.value), "{line}");
            }
            // Who only reads is not.
            let answer = key.get(&stack, "/v1/events?limit=1").await;
            assert_eq!(on_record(&stack, &answer), None);
        })
        .await;
}

#[tokio::test]
async fn an_added_key_works_and_one_taken_out_is_refused() {
    let stack = Stack::from_env().await;
    let (old, new) = (Key::with(&["read"]), Key::with(&["read"]));
    stack
        .with_api_keys(&listed(&[&old]), async || {
            old.known(&stack).await;
            new.get(&stack, "/v1/events")
                .await
                .problem(401, "UNAUTHORIZED");
            // Both are listed while callers change.
            stack.put_api_keys(&listed(&[&old, &new])).await;
            new.known(&stack).await;
            old.known(&stack).await;
            // What it is now was read with the new key a moment ago: the old one is refused when
            // that has been forgotten, in both functions.
            stack.put_api_keys(&listed(&[&new])).await;
            for path in ["/v1/events?limit=1", "/v1/webhook-subscriptions?cursor=x"] {
                wait_until("the key is refused", CACHED, async || {
                    let answer = old.get(&stack, path).await;
                    if answer.status == 401 {
                        Ok(answer)
                    } else {
                        Err(answer)
                    }
                })
                .await
                .problem(401, "UNAUTHORIZED");
                let kept = new.get(&stack, path).await;
                assert_ne!(kept.status, 401, "{kept:?}");
            }
        })
        .await;
}
