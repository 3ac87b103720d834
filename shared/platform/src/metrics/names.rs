//! Every metric there is, in one list: what the code writes, and dashboard and alarms read.

/// What a metric's value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that happened.
    Count,
    /// A span of time.
    Milliseconds,
    /// A plain number, such as hours: CloudWatch has no unit for those.
    None,
}

impl Unit {
    /// CloudWatch's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::None => "None",
        }
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $unit:ident,)*) => {
        /// A metric, by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        /// Name and unit of every metric.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), Unit::$unit.as_str()),)*];

        /// The same as values.
        #[cfg(test)]
        pub(super) const EVERY: &[Metric] = &[$(Metric::$name,)*];

        impl Metric {
            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Its unit.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)* }
            }
        }
    };
}

metrics! {
    /// Requests to the webhook routes.
    WebhooksReceived: Count,
    /// New webhooks, logged and queued.
    WebhooksAccepted: Count,
    /// Webhooks whose body came before.
    WebhooksDuplicate: Count,
    /// Webhooks about an event that nothing here handles.
    WebhooksIgnored: Count,
    /// Signed webhooks that can't be read.
    WebhooksUnprocessable: Count,
    /// Refused: no, a malformed or a wrong signature.
    RefusedInvalidSignature: Count,
    /// Refused: a true signature of another time.
    RefusedStaleSignature: Count,
    /// Refused: the body is too large.
    RefusedTooLarge: Count,
    /// Refused: not JSON by content type.
    RefusedMediaType: Count,
    /// Refused: too many refused requests from the address.
    RefusedRateLimited: Count,
    /// Webhooks that could not be verified for want of a key.
    SigningKeyUnavailable: Count,
    /// Webhooks that the provider was asked to send again.
    StoreUnavailable: Count,
    /// Deliveries that were applied.
    DeliveriesProcessed: Count,
    /// Attempts that failed and will be made again.
    DeliveriesFailed: Count,
    /// Deliveries that were given up.
    DeliveriesDead: Count,
    /// Attempts that are not a delivery's first.
    DeliveriesRetried: Count,
    /// From when Calendly made a webhook to when it was applied.
    LagFromCalendly: Milliseconds,
    /// From when a webhook came to when it was applied.
    LagFromReceipt: Milliseconds,
    /// Bookings made.
    BookingsScheduled: Count,
    /// Bookings that took the place of another.
    BookingsRescheduled: Count,
    /// Bookings canceled.
    BookingsCanceled: Count,
    /// No-show marks set.
    NoShowsMarked: Count,
    /// No-show marks taken back.
    NoShowsCleared: Count,
    /// Bookings of which something else changed.
    BookingsUpdated: Count,
    /// Deliveries that an operator had applied again.
    DeliveriesReplayed: Count,
    /// Dead letters that an operator sent back.
    DeliveriesRedriven: Count,
    /// Deliveries whose message was lost, queued again by the sweep.
    DeliveriesRequeued: Count,
    /// Ticks of the schedule that planned their jobs.
    SyncsPlanned: Count,
    /// Connections whose run ended well.
    SyncsFinished: Count,
    /// Connections whose run could not be done.
    SyncsFailed: Count,
    /// Pages that syncs read.
    SyncPages: Count,
    /// Events of which a sync wrote something.
    SyncEventsChanged: Count,
    /// Of these, those of scheduled syncs: webhooks should have told of them.
    DriftHealed: Count,
    /// What a run last saw left of Calendly's rate limit.
    CalendlyCallsLeft: Count,
    /// Tokens renewed.
    TokensRefreshed: Count,
    /// Tries to renew tokens that failed.
    TokenRefreshFailures: Count,
    /// Connections that must be authorized again.
    ConnectionsLost: Count,
    /// Subscriptions made anew.
    SubscriptionsReplaced: Count,
    /// Subscriptions found switched off.
    SubscriptionsDisabled: Count,
    /// Faults of the code that were kept inside one request or one record.
    Panics: Count,
    /// First invocations of a function's process.
    ColdStarts: Count,
    /// Answers of a function that say that it failed: 500 and above.
    ServerErrors: Count,
    /// State: deliveries that wait and are not tried. This and the states below are written every five
    /// minutes, and are zero where nobody is needed.
    WaitingDeliveries: None,
    /// State: deliveries that fail again and again.
    FailingDeliveries: None,
    /// State: deliveries that were given up.
    DeadDeliveries: None,
    /// State: connections that need a new authorization.
    LostConnections: None,
    /// State: connections that are not compared.
    UncomparedConnections: None,
    /// State: whether syncs are not planned any more.
    UnplannedSyncs: None,
    /// State: connections without a subscription that works.
    InactiveSubscriptions: None,
    /// State: hours until Calendly may switch a subscription off; 24 where it retries none.
    SubscriptionHoursLeft: None,
    /// State: webhooks that were refused while none is accepted.
    RefusedWebhooks: None,
    /// State: webhooks that usually come and did not.
    MissingWebhooks: None,
    /// State: hours since the last accepted webhook.
    HoursWithoutWebhook: None,
    /// State: reasons to look at once.
    NeedsSomebodyNow: None,
    /// State: reasons to look the same day, those included.
    NeedsSomebodyToday: None,
}

impl From<booking::Transition> for Metric {
    fn from(made: booking::Transition) -> Self {
        use booking::Transition;
        match made {
            Transition::Scheduled => Self::BookingsScheduled,
            Transition::Rescheduled => Self::BookingsRescheduled,
            Transition::Canceled => Self::BookingsCanceled,
            Transition::NoShowMarked => Self::NoShowsMarked,
            Transition::NoShowCleared => Self::NoShowsCleared,
            Transition::Updated => Self::BookingsUpdated,
        }
    }
}
