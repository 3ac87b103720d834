//! What became of an authorization, as it is remembered: no tokens, no code, nobody's name.

use crate::callback::bad;
use crate::connect::sentence;
use crate::handler::{Connector, Reply, unavailable, wants_html};
use contract::{Operation, Params, Route};
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::connections::{Taken, Vault};
use platform::http::Problem;
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::Instant;

/// How long a page that is loaded twice at once waits for the outcome of the first.
const WAIT: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What became of an authorization.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Connected(Value),
    Refused {
        status: u16,
        code: String,
        message: String,
    },
}

/// Tells Calendly's answers to one authorization apart. A digest, for a code is a secret.
pub(crate) fn answer(params: &Params) -> String {
    let parts = ["error", "code"].map(|name| params.get(name).unwrap_or_default());
    hex::encode(Sha256::digest(parts.join(" ")))
}

fn text(result: &Result<Reply, Problem>) -> Option<String> {
    let outcome = match result {
        Ok(Reply::Done(_, data, _)) => Outcome::Connected(data.clone()),
        Ok(Reply::Data(..) | Reply::Redirect(_)) => return None,
        Err(problem) => Outcome::Refused {
            status: problem.status.as_u16(),
            code: problem.code.to_owned(),
            message: problem.message.clone(),
        },
    };
    serde_json::to_string(&outcome).ok()
}

/// The code of an error as the contract has it.
fn known(code: &str) -> Option<&'static str> {
    let errors = Route::of(Operation::AuthorizeCallback)?.errors;
    let mut codes = errors.iter().copied().flatten().map(|error| error.code);
    codes.find(|known| *known == code)
}

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    /// Keeps what became of the authorization of `state`. Should that fail, a page that is loaded
    /// again says less; the connection stands.
    pub(crate) async fn remember(&self, state: &str, result: &Result<Reply, Problem>) {
        let Some(outcome) = text(result) else {
            return;
        };
        if let Err(error) = self.connections.remember(state, &outcome).await {
            tracing::warn!(%error, "outcome not remembered");
        }
    }

    /// What the page says that is loaded again, with all that was `known` of the outcome.
    pub(crate) async fn again(
        &self,
        request: &Request,
        state: &str,
        answer: &str,
        mut known: Option<String>,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let long_enough = until.min(Instant::now() + WAIT);
        while known.is_none() && Instant::now() < long_enough {
            tokio::time::sleep(LOOK_EVERY).await;
            let taken = self.connections.taken(state, answer).await;
            known = match taken.map_err(unavailable)? {
                Taken::Again(outcome) => outcome,
                Taken::First(_) | Taken::Unknown => break,
            };
        }
        let outcome = known.and_then(|text| serde_json::from_str(&text).ok());
        match outcome {
            Some(Outcome::Connected(data)) => self.connected_before(request, data, until).await,
            Some(Outcome::Refused {
                status,
                code,
                message,
            }) => Err(refused(status, &code, message)),
            None => Err(Problem::new(
                StatusCode::CONFLICT,
                "AUTHORIZATION_UNDER_WAY",
                "this authorization is being finished; load this page again in a moment, and start \
                 again if it still says so then",
            )),
        }
    }

    async fn connected_before(
        &self,
        request: &Request,
        data: Value,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let id = data["connectionId"].as_str().unwrap_or_default();
        let Some(connection) = self.connection(id).await? else {
            return Err(bad(
                "STATE_INVALID",
                "this page connected the account, which has been disconnected since; start again to \
                 connect it anew",
            ));
        };
        let user = if wants_html(request) {
            self.user(&connection, until).await
        } else {
            None
        };
        let sentence = sentence(data["subscribed"] == true, user.as_ref());
        Ok(Reply::Done(StatusCode::OK, data, sentence))
    }
}

fn refused(status: u16, code: &str, message: String) -> Problem {
    match (StatusCode::from_u16(status), known(code)) {
        (Ok(status), Some(code)) => Problem::new(status, code, message),
        _ => bad("AUTHORIZATION_FAILED", &message),
    }
}
