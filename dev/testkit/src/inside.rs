//! The embedded DynamoDB without a socket: calls of the SDK are answered in this process and on
//! this thread, so that they are quick, and come twice in the same order.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a [`Gate`] answers, in the end.
pub type Passed = Pin<Box<dyn Future<Output = Result<(), Lost>> + Send>>;

/// A call that was lost on its way, there or back.
#[derive(Debug, Clone, Copy)]
pub struct Lost;

/// What each call passes on its way to the database and back.
pub trait Gate: Send + Sync {
    /// Has the call take effect by `act`. It may take its time, be lost on the way there or back, or
    /// never return.
    fn call(&self, operation: &str, act: Box<dyn FnOnce() + Send>) -> Passed;

    /// A status and an answer that a call gets instead of the database's, by its request's body.
    fn instead(&self, _operation: &str, _body: &str) -> Option<(u16, String)> {
        None
    }

    /// Whether the call meets a transaction of somebody else's with the same items: then it is refused
    /// for that, as DynamoDB does, and never made.
    fn conflicts(&self, _operation: &str) -> bool {
        false
    }
}

/// A gate at which so many writes meet a transaction of somebody else's.
#[derive(Debug, Default)]
pub struct Conflicts {
    left: AtomicUsize,
    met: AtomicUsize,
}

impl Conflicts {
    /// The next `times` writes.
    pub fn next(&self, times: usize) {
        self.left.store(times, Ordering::SeqCst);
    }

    /// How many writes have met one.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

impl Gate for Conflicts {
    fn call(&self, operation: &str, act: Box<dyn FnOnce() + Send>) -> Passed {
        Open.call(operation, act)
    }

    fn conflicts(&self, operation: &str) -> bool {
        let is_write = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
        let one_less = |left: usize| left.checked_sub(1);
        let meets = is_write.contains(&operation)
            && (self.left)
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_ok();
        self.met.fetch_add(usize::from(meets), Ordering::SeqCst);
        meets
    }
}

/// A gate that stands open.
struct Open;

impl Gate for Open {
    fn call(&self, _: &str, act: Box<dyn FnOnce() + Send>) -> Passed {
        act();
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A database, and the gate before it.
#[derive(Clone)]
pub(crate) struct Inside {
    database: Database,
    gate: Arc<dyn Gate>,
}

impl Default for Inside {
    fn default() -> Self {
        Self {
            database: Database::memory().unwrap(),
            gate: Arc::new(Open),
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

impl Inside {
    /// The same database through another gate.
    pub(crate) fn through(&self, gate: Arc<dyn Gate>) -> Self {
        Self {
            database: self.database.clone(),
            gate,
        }
    }
}

impl HttpClient for Inside {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Inside {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { database, gate } = self.clone();
        HttpConnectorFuture::new(async move {
            let lost = |_: Lost| ConnectorError::io("the call was lost".into());
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let body = request.body().bytes().unwrap_or_default();
            let body = String::from_utf8_lossy(body).into_owned();
            let (status, answer) = if gate.conflicts(&operation) {
                (400, conflict(&operation, &body).to_string())
            } else if let Some(instead) = gate.instead(&operation, &body) {
                instead
            } else {
                let answered = Arc::new(Mutex::new(None));
                let (kept, name) = (answered.clone(), operation.clone());
                let act = move || *kept.lock().unwrap() = Some(answer(&database, &name, &body));
                gate.call(&operation, Box::new(act)).await.map_err(lost)?;
                let answered = answered.lock().unwrap().take();
                match answered.ok_or_else(|| lost(Lost))? {
                    Ok(answer) => (200, answer),
                    Err(error) => (error.status_code(), error.to_json()),
                }
            };
            let status = StatusCode::try_from(status)
                .map_err(|error| ConnectorError::other(error.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(answer));
            response
                .headers_mut()
                .insert("content-type", "application/x-amz-json-1.0");
            Ok(response)
        })
    }
}

/// What DynamoDB answers a write that meets a transaction: of another transaction, the first of its
/// writes does.
fn conflict(operation: &str, body: &str) -> Value {
    let kind = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    if operation != "TransactWriteItems" {
        return json!({"__type": kind("TransactionConflictException"), "message": "ongoing"});
    }
    let request: Value = serde_json::from_str(body).unwrap();
    let mut reasons =
        vec![json!({"Code": "None"}); request["TransactItems"].as_array().unwrap().len()];
    reasons[0] = json!({"Code": "TransactionConflict", "Message": "ongoing"});
    json!({
        "__type": kind("TransactionCanceledException"),
        "Message": "canceled",
        "CancellationReasons": reasons,
    })
}

/// The operations that the product and its tests call.
fn answer(database: &Database, operation: &str, body: &str) -> dynoxide::Result<String> {
    match operation {
        "BatchGetItem" => done(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => done(body, |request| database.batch_write_item(request)),
        "CreateTable" => done(body, |request| database.create_table(request)),
        "DeleteItem" => done(body, |request| database.delete_item(request)),
        "GetItem" => done(body, |request| database.get_item(request)),
        "PutItem" => done(body, |request| database.put_item(request)),
        "Query" => done(body, |request| database.query(request)),
        "Scan" => done(body, |request| database.scan(request)),
        "TransactWriteItems" => done(body, |request| database.transact_write_items(request)),
        "UpdateItem" => done(body, |request| database.update_item(request)),
        other => Err(DynoxideError::ValidationException(format!(
            "{other} is not answered here"
        ))),
    }
}

fn done<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    act: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let wrong = |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    let request = serde_json::from_str(body).map_err(wrong)?;
    serde_json::to_string(&act(request)?).map_err(wrong)
}
