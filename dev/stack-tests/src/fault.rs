//! Faults, and other changes of the stack itself: made for as long as a piece of a test runs, and
//! taken back however it ends. Only for tests that run alone.

use crate::stack::variable;
use crate::{Stack, eventually};
use aws_sdk_lambda::types::{ApplicationLogLevel, Environment, LoggingConfig};
use futures::FutureExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};

/// One of the stack's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Receives webhooks.
    Webhook,
    /// Applies them.
    Worker,
    /// Answers operators.
    Api,
    /// Connects accounts.
    Oauth,
}

impl Function {
    fn name(self) -> String {
        variable(match self {
            Self::Webhook => "WEBHOOK_FUNCTION_NAME",
            Self::Worker => "WORKER_FUNCTION_NAME",
            Self::Api => "API_FUNCTION_NAME",
            Self::Oauth => "OAUTH_FUNCTION_NAME",
        })
    }
}

/// Runs `test`, then `restore`, then goes on as `test` ended.
pub(crate) async fn and_then_always<T>(
    test: impl AsyncFnOnce() -> T,
    restore: impl AsyncFnOnce(),
) -> T {
    let result = AssertUnwindSafe(test()).catch_unwind().await;
    restore().await;
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Stack {
    /// Runs `test` while a function's environment has these variables.
    pub async fn with_environment<T>(
        &self,
        function: Function,
        changes: &[(&str, &str)],
        test: impl AsyncFnOnce() -> T,
    ) -> T {
        let name = function.name();
        let now = self
            .lambda
            .get_function_configuration()
            .function_name(&name);
        let now = now.send().await.unwrap();
        let before = now
            .environment()
            .and_then(|e| e.variables())
            .cloned()
            .unwrap_or_default();
        let mut changed = before.clone();
        changed.extend(
            changes
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        self.set_environment(&name, changed).await;
        and_then_always(test, async || self.set_environment(&name, before).await).await
    }

    async fn set_environment(&self, name: &str, variables: HashMap<String, String>) {
        let environment = Environment::builder()
            .set_variables(Some(variables))
            .build();
        let update = self
            .lambda
            .update_function_configuration()
            .function_name(name);
        update.environment(environment).send().await.unwrap();
        self.until_updated(name).await;
    }

    async fn until_updated(&self, name: &str) {
        eventually("the function's configuration is in force", async || {
            let now = self
                .lambda
                .get_function_configuration()
                .function_name(name)
                .send()
                .await;
            match now
                .unwrap()
                .last_update_status()
                .map(|status| status.as_str().to_owned())
            {
                None => Ok(()),
                Some(status) if status == "Successful" => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }

    /// Runs `test` while every function logs all that it can.
    pub async fn with_every_log_line<T>(&self, test: impl AsyncFnOnce() -> T) -> T {
        let mut before = Vec::new();
        let functions = [
            Function::Webhook,
            Function::Worker,
            Function::Api,
            Function::Oauth,
        ];
        for name in functions.map(Function::name) {
            let now = self
                .lambda
                .get_function_configuration()
                .function_name(&name);
            let now = now.send().await.unwrap();
            let environment = now.environment().and_then(|e| e.variables());
            let environment = environment.cloned().unwrap_or_default();
            let logging = now.logging_config().expect("a log configuration").clone();
            let mut verbose = (environment.clone(), logging.clone());
            verbose.0.insert("LOG_LEVEL".to_owned(), "trace".to_owned());
            verbose.1.application_log_level = Some(ApplicationLogLevel::Trace);
            self.set_logging(&name, verbose).await;
            before.push((name, (environment, logging)));
        }
        and_then_always(test, async || {
            for (name, settings) in before {
                self.set_logging(&name, settings).await;
            }
        })
        .await
    }

    async fn set_logging(
        &self,
        name: &str,
        (variables, logging): (HashMap<String, String>, LoggingConfig),
    ) {
        let update = self
            .lambda
            .update_function_configuration()
            .function_name(name);
        update.logging_config(logging).send().await.unwrap();
        self.set_environment(name, variables).await;
    }

    /// Runs `test` while the worker takes nothing from its queue; then it goes on.
    pub async fn with_worker_stopped<T>(&self, test: impl AsyncFnOnce() -> T) -> T {
        let mappings = self.lambda.list_event_source_mappings();
        let mappings = mappings
            .function_name(Function::Worker.name())
            .send()
            .await
            .unwrap();
        let [mapping] = mappings.event_source_mappings() else {
            panic!(
                "the worker has {} sources",
                mappings.event_source_mappings().len()
            );
        };
        let id = mapping.uuid().unwrap();
        self.enable(id, false).await;
        and_then_always(test, async || self.enable(id, true).await).await
    }

    async fn enable(&self, mapping: &str, enabled: bool) {
        let update = self
            .lambda
            .update_event_source_mapping()
            .uuid(mapping)
            .enabled(enabled);
        update.send().await.unwrap();
        let wanted = if enabled { "Enabled" } else { "Disabled" };
        eventually("the worker's source is switched", async || {
            let now = self
                .lambda
                .get_event_source_mapping()
                .uuid(mapping)
                .send()
                .await
                .unwrap();
            match now.state() {
                Some(state) if state == wanted => Ok(()),
                other => Err(other.map(str::to_owned)),
            }
        })
        .await;
    }

    /// Runs `test` after the Calendly secret was given another signing key, as a rotation does;
    /// then the key that the other tests sign with is put back.
    pub async fn with_signing_key<T>(&self, key: &str, test: impl AsyncFnOnce() -> T) -> T {
        self.put_signing_key(key).await;
        and_then_always(test, async || self.put_signing_key(&self.signing_key).await).await
    }

    /// Gives the Calendly secret another signing key.
    pub async fn put_signing_key(&self, key: &str) {
        let id = variable("CALENDLY_SECRET_ARN");
        let mut value: Value = serde_json::from_str(&self.secret(&id).await).unwrap();
        value["signingKey"] = key.into();
        self.put_secret(&id, &value.to_string()).await;
    }

    /// Runs `test` while these keys are listed beside the stack's own; then only that one is.
    pub async fn with_api_keys<T>(&self, keys: &Value, test: impl AsyncFnOnce() -> T) -> T {
        let id = variable("API_KEY_SECRET_ARN");
        let before = self.secret(&id).await;
        self.put_api_keys(keys).await;
        and_then_always(test, async || {
            // Twice: beside a single key the value before it counts, too.
            self.put_secret(&id, &before).await;
            self.put_secret(&id, &before).await;
        })
        .await
    }

    /// Lists these keys, and no others, beside the stack's own.
    pub async fn put_api_keys(&self, keys: &Value) {
        let id = variable("API_KEY_SECRET_ARN");
        let mut value: Value = serde_json::from_str(&self.secret(&id).await).unwrap();
        value["keys"] = keys.clone();
        self.put_secret(&id, &value.to_string()).await;
    }

    async fn secret(&self, id: &str) -> String {
        let now = self.secrets.get_secret_value().secret_id(id).send();
        now.await.unwrap().secret_string().unwrap().to_owned()
    }

    /// Gives a secret another value; the one before stays its previous one.
    pub async fn put_secret(&self, id: &str, value: &str) {
        let put = self.secrets.put_secret_value().secret_id(id);
        put.secret_string(value).send().await.unwrap();
    }

    /// Deletes a secret at once.
    pub async fn delete_secret(&self, id: &str) {
        let delete = self.secrets.delete_secret().secret_id(id);
        delete
            .force_delete_without_recovery(true)
            .send()
            .await
            .unwrap();
    }

    /// Makes another secret, which a function may read though its role names only the stack's own;
    /// its name.
    pub async fn new_secret(&self, reader: Function, value: &str) -> String {
        let name = format!("stack-tests-{}", uuid::Uuid::new_v4());
        let create = self
            .secrets
            .create_secret()
            .name(&name)
            .secret_string(value);
        create.send().await.unwrap();
        let function = self
            .lambda
            .get_function_configuration()
            .function_name(reader.name());
        let function = function.send().await.unwrap();
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": function.role().unwrap() },
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
            }],
        });
        let grant = self.secrets.put_resource_policy().secret_id(&name);
        let grant = grant.resource_policy(policy.to_string());
        grant.send().await.unwrap();
        name
    }
}
