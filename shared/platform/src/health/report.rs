//! What is told: reasons, what was looked at, and what can't be seen from here.

use jiff::{SignedDuration, Timestamp, Unit};
use schemars::JsonSchema;
use serde::Serialize;

/// When somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// At once, at night, too.
    Now,
    /// The same day.
    Today,
    /// When there is time; all is well in spite of it.
    Later,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $section:literal,)*) => {
        /// What is not as it should be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its section of the runbook, docs/operations.md.
            pub const fn section(self) -> &'static str {
                match self { $(Self::$name => $section,)* }
            }
        }
    };
}

codes! {
    /// Webhooks are refused for their signature, and none is accepted.
    WebhooksRefused: "refused-signatures",
    /// Webhooks with a right signature were refused for its time.
    WebhooksStale: "stale-signatures",
    /// No webhook can be verified for want of a key.
    SigningKeyUnavailable: "signing-key-unavailable",
    /// Webhooks could not be logged or queued.
    StoreUnavailable: "store-unavailable",
    /// Signed webhooks can't be read.
    WebhooksUnreadable: "unreadable-webhooks",
    /// No webhook comes, though some should.
    NoWebhooks: "no-webhooks",
    /// Deliveries wait and are not tried.
    DeliveriesWaiting: "old-messages",
    /// Deliveries fail.
    DeliveriesFailing: "deliveries-failing",
    /// Deliveries were given up.
    DeadLetters: "dead-letters",
    /// The dead letter queue has messages of deliveries that are not dead.
    LettersLeft: "dead-letters",
    /// Connections must be authorized again.
    ConnectionsLost: "needs-reauth",
    /// Runs of connections fail.
    SyncFailing: "sync-failing",
    /// Connections were not compared for too long.
    SyncOverdue: "sync-failing",
    /// No sync is planned.
    SyncNotRunning: "sync-not-running",
    /// Connections have no subscription that works.
    SubscriptionsInactive: "subscription-disabled",
    /// Calendly retries a subscription, and may switch it off.
    SubscriptionsRetrying: "subscription-retrying",
    /// Nothing looks whether all is well.
    WatchNotRunning: "watch-not-running",
    /// Something could not be looked at.
    SourceUnreadable: "watch-not-running",
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// For programs.
    pub code: Code,
    /// When somebody should look.
    pub severity: Severity,
    /// What is wrong, with numbers.
    pub message: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// How many things it is about.
    pub count: u64,
    /// Ids of the first ten of them: deliveries, or connections.
    pub about: Vec<String>,
    /// What to do next.
    pub next: String,
    /// The section of the runbook, docs/operations.md, that has more.
    pub section: &'static str,
}

/// How what was looked at stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// There is a reason for it.
    Attention,
    /// It could not be looked at.
    Unknown,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// What.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// In a few words.
    pub detail: String,
}

/// Whether all is well, and what needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether nobody is needed today.
    pub well: bool,
    /// When it was looked.
    pub at: Timestamp,
    /// What is not as it should be, the most urgent first.
    pub reasons: Vec<Reason>,
    /// What was looked at.
    pub looked_at: Vec<Look>,
    /// What can't be seen from here.
    pub not_seen: Vec<&'static str>,
}

/// What only AWS's own metrics tell.
const NOT_SEEN: [&str; 3] = [
    "requests that API Gateway answered itself (429, 5xx), and functions that crash or are throttled: \
     the stack's alarms tell",
    "what Calendly shows of its subscriptions since the last sync looked: GET /v1/webhook-subscriptions \
     asks now",
    "bookings that no webhook told of since the last sync: POST /v1/sync compares now",
];

impl Report {
    pub(super) fn at(at: Timestamp) -> Self {
        Self {
            well: true,
            at,
            reasons: Vec::new(),
            looked_at: Vec::new(),
            not_seen: NOT_SEEN.to_vec(),
        }
    }

    /// Something was looked at. It is `ok` unless one of the reasons that follow is about it.
    pub(super) fn looked(&mut self, name: &'static str, detail: impl Into<String>) {
        self.looked_at.push(Look {
            name,
            state: State::Ok,
            detail: detail.into(),
        });
    }

    /// Something could not be looked at.
    pub(super) fn unknown(&mut self, name: &'static str, error: &str) {
        self.looked_at.push(Look {
            name,
            state: State::Unknown,
            detail: "could not be read".to_owned(),
        });
        self.reasons.push(Reason {
            code: Code::SourceUnreadable,
            severity: Severity::Today,
            message: format!("{name}: {error}, so nobody can say how it stands"),
            since: None,
            count: 1,
            about: Vec::new(),
            next: "look again in a minute; if it lasts, at AWS and at the roles".to_owned(),
            section: Code::SourceUnreadable.section(),
        });
    }

    /// A reason, which is about what was looked at last.
    pub(super) fn reason(&mut self, severity: Severity, code: Code, said: Said) {
        if let Some(last) = self.looked_at.last_mut()
            && severity != Severity::Later
        {
            last.state = State::Attention;
        }
        self.reasons.push(Reason {
            code,
            severity,
            message: said.message,
            since: said.since,
            count: said.count,
            about: said.about,
            next: said.next,
            section: code.section(),
        });
    }

    pub(super) fn finished(mut self) -> Self {
        self.reasons
            .sort_by_key(|reason| (reason.severity, reason.code));
        self.well = self
            .reasons
            .iter()
            .all(|reason| reason.severity == Severity::Later);
        self
    }
}

/// What a reason says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) since: Option<Timestamp>,
    pub(super) count: u64,
    pub(super) about: Vec<String>,
    pub(super) next: String,
}

/// A count, that says whether there may be more.
pub(super) fn count(count: usize, more: bool) -> String {
    if more {
        format!("at least {count}")
    } else {
        count.to_string()
    }
}

/// A number and its noun.
pub(super) fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// How long ago something was, in words.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> String {
    let age = now.duration_since(at).max(SignedDuration::ZERO);
    let rounded = |unit| age.round(unit).unwrap_or(age);
    match age.as_secs() {
        0..120 => format!("{} s", age.as_secs()),
        120..7200 => format!("{} min", rounded(Unit::Minute).as_mins()),
        7200..172_800 => format!("{} h", rounded(Unit::Hour).as_hours()),
        seconds => format!("{} days", seconds / 86_400),
    }
}
