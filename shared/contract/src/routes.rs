//! The table of routes.

use crate::answers;
use crate::errors::{
    CALENDLY, CALLBACK, ERASED, KEY, NOT_DEAD, OAUTH_APP, PARAMETER, SIGNING_KEY_MISSING, STORE,
    TEST, UNKNOWN, WEBHOOK,
};
use crate::params::{Kind, Parameter, Place};
use crate::requests;
use crate::route::{Access, Content, Good, Input, Operation, Route};
use lambda_http::http::Method;
use platform::deliveries::Delivery;
use platform::secrets::Scope;
use platform::syncs::Sync;
use schemars::{JsonSchema, Schema, SchemaGenerator};

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn good(status: u16, about: &'static str, content: Content) -> Good {
    Good {
        status,
        about,
        content,
    }
}

const fn path(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Path,
        required: true,
        kind,
        about,
    }
}

const fn query(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Query,
        required: false,
        kind,
        about,
    }
}

const LIMIT: Parameter = query("limit", Kind::Limit, "how many on a page; 20 by default");
const CURSOR: Parameter = query("cursor", Kind::Cursor, "`nextCursor` of the page before");
const EVENT_ID: Parameter = path("id", Kind::Id, "last part of the event's Calendly URI");
const DELIVERY_ID: Parameter = path(
    "id",
    Kind::DeliveryId,
    "the delivery's id, as the webhook's answer has it",
);
const EMAIL: Parameter = path(
    "email",
    Kind::Email,
    "an e-mail address, in any case of letters",
);
const DRY_RUN: Parameter = query(
    "dryRun",
    Kind::Flag,
    "only tell what would be erased, by kind",
);

/// Words of `sort`; the first is what a list does unless asked otherwise.
pub const SORTS: &[&str] = &["startTime:asc", "startTime:desc", "asc", "desc"];
/// Words of `status` for events.
pub const EVENT_STATUSES: &[&str] = &["active", "canceled"];
/// Words of `status` for deliveries.
pub const DELIVERY_STATUSES: &[&str] = &[
    "received",
    "processed",
    "failed",
    "dead",
    "ignored",
    "unprocessable",
    "discarded",
];

const READ: Access = Access::Key(Scope::Read);
const OPERATE: Access = Access::Key(Scope::Operate);

const BOOKINGS: &str = "Bookings";
const CONTACTS: &str = "Contacts";
const DELIVERIES: &str = "Deliveries";
const SYNC: &str = "Sync";
const CONNECTIONS: &str = "Connections";
const WEBHOOKS: &str = "Webhooks";
const SERVICE: &str = "Service";

/// Every route there is.
pub const ROUTES: &[Route] = &[
    Route {
        operation: Operation::ListEvents,
        method: Method::GET,
        path: "/v1/events",
        tag: BOOKINGS,
        summary: "List events by start",
        description: "Each carries its first 50 invitees. A page costs one query for each group of \
            connections that has events in its months, whatever the table holds.",
        access: READ,
        parameters: &[
            query(
                "from",
                Kind::Time,
                "only events that start at this time or later",
            ),
            query("to", Kind::Time, "only events that start before this time"),
            query(
                "status",
                Kind::Words(EVENT_STATUSES),
                "only events that stand so",
            ),
            query(
                "inviteeEmail",
                Kind::Email,
                "only events with an invitee of this address",
            ),
            query(
                "connection",
                Kind::Id,
                "only events that this connection told of",
            ),
            query(
                "sort",
                Kind::Words(SORTS),
                "the earliest start first (`startTime:asc`, the default), or the latest",
            ),
            LIMIT,
            CURSOR,
        ],
        input: None,
        good: &[good(
            200,
            "a page of events",
            Content::Json(of::<answers::EventList>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::GetEvent,
        method: Method::GET,
        path: "/v1/events/{id}",
        tag: BOOKINGS,
        summary: "Show an event",
        description: "With every detail of its invitees: of as many as an answer holds, at most 1,000. \
            The next ones are behind `nextCursor`, with the same event.",
        access: READ,
        parameters: &[EVENT_ID, CURSOR],
        input: None,
        good: &[good(
            200,
            "the event",
            Content::Json(of::<answers::EventAnswer>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::GetEventHistory,
        method: Method::GET,
        path: "/v1/events/{id}/history",
        tag: BOOKINGS,
        summary: "Show what happened to an event's bookings",
        description: "Each transition with its time and cause, as the stored facts tell it, whatever \
            the order in which they came.",
        access: READ,
        parameters: &[EVENT_ID, CURSOR],
        input: None,
        good: &[good(
            200,
            "the history",
            Content::Json(of::<answers::History>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::GetInvitee,
        method: Method::GET,
        path: "/v1/events/{id}/invitees/{inviteeId}",
        tag: BOOKINGS,
        summary: "Show an invitee",
        description: "",
        access: READ,
        parameters: &[
            EVENT_ID,
            path(
                "inviteeId",
                Kind::Id,
                "last part of the invitee's Calendly URI",
            ),
        ],
        input: None,
        good: &[good(
            200,
            "the invitee",
            Content::Json(of::<booking::InviteeView>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::GetInviteeHistory,
        method: Method::GET,
        path: "/v1/events/{id}/invitees/{inviteeId}/history",
        tag: BOOKINGS,
        summary: "Show what happened to a booking",
        description: "Each transition with its time and cause, as the stored facts tell it, whatever \
            the order in which they came.",
        access: READ,
        parameters: &[
            EVENT_ID,
            path(
                "inviteeId",
                Kind::Id,
                "last part of the invitee's Calendly URI",
            ),
            CURSOR,
        ],
        input: None,
        good: &[good(
            200,
            "the history",
            Content::Json(of::<answers::History>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::GetActivity,
        method: Method::GET,
        path: "/v1/contacts/{email}/activity",
        tag: CONTACTS,
        summary: "List the events of an address",
        description: "Every event in which the address is invitee, guest or host, by start.",
        access: READ,
        parameters: &[
            EMAIL,
            query(
                "from",
                Kind::Time,
                "only events that start at this time or later",
            ),
            query("to", Kind::Time, "only events that start before this time"),
            query(
                "sort",
                Kind::Words(SORTS),
                "the earliest start first (`startTime:asc`, the default), or the latest",
            ),
            LIMIT,
            CURSOR,
        ],
        input: None,
        good: &[good(
            200,
            "a page of events",
            Content::Json(of::<answers::Activity>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::EraseContact,
        method: Method::DELETE,
        path: "/v1/contacts/{email}",
        tag: CONTACTS,
        summary: "Erase a person",
        description: "Removes every stored copy of what is known of the person: from bookings, \
            events where they are guest or host, routing form submissions, and the bodies of \
            deliveries. That a booking took place stays known. No sync, replay or late webhook \
            brings anything back. Safe to repeat; repeat it while `complete` is false. For plain \
            addresses; `POST /v1/erasures` takes every one.",
        access: Access::Key(Scope::Admin),
        parameters: &[EMAIL, DRY_RUN],
        input: None,
        good: &[good(
            200,
            "what was erased",
            Content::Json(of::<answers::ErasureReport>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::Erase,
        method: Method::POST,
        path: "/v1/erasures",
        tag: CONTACTS,
        summary: "Erase a person whose address is in the body",
        description: "As `DELETE /v1/contacts/{email}`, for any address: one with a slash, quotes or \
            a second @ has no place in a path, and what stands in a body is in nobody's access log.",
        access: Access::Key(Scope::Admin),
        parameters: &[DRY_RUN],
        input: Some(Input {
            required: true,
            schema: of::<requests::EraseRequest>,
        }),
        good: &[good(
            200,
            "what was erased",
            Content::Json(of::<answers::ErasureReport>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::ListDeliveries,
        method: Method::GET,
        path: "/v1/deliveries",
        tag: DELIVERIES,
        summary: "List deliveries, the newest first",
        description: "",
        access: READ,
        parameters: &[
            query(
                "status",
                Kind::Words(DELIVERY_STATUSES),
                "only those that stand so",
            ),
            query(
                "event",
                Kind::Text(100),
                "only those of this event, such as `invitee.created`",
            ),
            query(
                "from",
                Kind::Time,
                "only those received at this time or later",
            ),
            query("to", Kind::Time, "only those received before this time"),
            query(
                "eventId",
                Kind::Id,
                "only those about this scheduled event: last part of its Calendly URI",
            ),
            query(
                "idPrefix",
                Kind::DeliveryIdPrefix,
                "only those whose ids begin so: 8 digits name one",
            ),
            LIMIT,
            CURSOR,
        ],
        input: None,
        good: &[good(
            200,
            "a page of deliveries",
            Content::Json(of::<answers::DeliveryList>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::GetDelivery,
        method: Method::GET,
        path: "/v1/deliveries/{id}",
        tag: DELIVERIES,
        summary: "Show a delivery",
        description: "`?body=true` adds the raw body, for a key with the scope `admin`.",
        access: READ,
        parameters: &[
            DELIVERY_ID,
            query(
                "body",
                Kind::Flag,
                "with the raw body; needs the scope `admin`",
            ),
        ],
        input: None,
        good: &[good(
            200,
            "the delivery",
            Content::Json(of::<answers::DeliveryAnswer>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::ReplayDelivery,
        method: Method::POST,
        path: "/v1/deliveries/{id}/replay",
        tag: DELIVERIES,
        summary: "Have a delivery applied again",
        description: "Harmless at any time. One that was discarded counts again.",
        access: OPERATE,
        parameters: &[DELIVERY_ID],
        input: None,
        good: &[good(
            202,
            "queued again",
            Content::Json(of::<answers::Replayed>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, ERASED, STORE],
    },
    Route {
        operation: Operation::ListDeadLetters,
        method: Method::GET,
        path: "/v1/dead-letters",
        tag: DELIVERIES,
        summary: "List what was given up, the newest first",
        description: "",
        access: READ,
        parameters: &[LIMIT, CURSOR],
        input: None,
        good: &[good(
            200,
            "a page of dead letters",
            Content::Json(of::<answers::DeadLetterList>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::RedriveDeadLetters,
        method: Method::POST,
        path: "/v1/dead-letters/redrive",
        tag: DELIVERIES,
        summary: "Send dead letters back",
        description: "All, or those that fit; `dryRun` only tells which. Looks at up to 1,000 \
            messages: while `complete` is false there may be more. Those whose delivery was discarded \
            or erased are taken out of the queue.",
        access: OPERATE,
        parameters: &[],
        input: Some(Input {
            required: false,
            schema: of::<requests::RedriveRequest>,
        }),
        good: &[good(
            200,
            "what was done",
            Content::Json(of::<answers::RedriveReport>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::DiscardDeadLetter,
        method: Method::POST,
        path: "/v1/dead-letters/{id}/discard",
        tag: DELIVERIES,
        summary: "Put away a dead letter that nothing can mend",
        description: "The delivery is `discarded` from then on, with who, when and why: no list of dead \
            letters shows it, and redrives pass it over. Its message leaves the queue with the next \
            redrive that meets it. Once more changes nothing, and answers what the first one said. A \
            replay takes it back.",
        access: OPERATE,
        parameters: &[DELIVERY_ID],
        input: Some(Input {
            required: true,
            schema: of::<requests::DiscardRequest>,
        }),
        good: &[good(
            200,
            "the delivery as it stands",
            Content::Json(of::<Delivery>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, NOT_DEAD, STORE],
    },
    Route {
        operation: Operation::StartSync,
        method: Method::POST,
        path: "/v1/sync",
        tag: SYNC,
        summary: "Compare with Calendly now",
        description: "",
        access: OPERATE,
        parameters: &[],
        input: Some(Input {
            required: false,
            schema: of::<requests::SyncRequest>,
        }),
        good: &[good(
            202,
            "queued",
            Content::Json(of::<answers::SyncStarted>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::GetSync,
        method: Method::GET,
        path: "/v1/sync/{id}",
        tag: SYNC,
        summary: "Show how far a sync is, and what it found",
        description: "",
        access: READ,
        parameters: &[path("id", Kind::Uuid, "the sync's id")],
        input: None,
        good: &[good(200, "the sync", Content::Json(of::<Sync>))],
        errors: &[PARAMETER, KEY, UNKNOWN, STORE],
    },
    Route {
        operation: Operation::ListConnections,
        method: Method::GET,
        path: "/v1/connections",
        tag: CONNECTIONS,
        summary: "List connected accounts",
        description: "",
        access: READ,
        parameters: &[LIMIT, CURSOR],
        input: None,
        good: &[good(
            200,
            "a page of connections",
            Content::Json(of::<answers::ConnectionList>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::Connect,
        method: Method::POST,
        path: "/v1/connections",
        tag: CONNECTIONS,
        summary: "Connect an account by a personal access token",
        description: "For one's own account; others are connected by OAuth.",
        access: OPERATE,
        parameters: &[],
        input: Some(Input {
            required: true,
            schema: of::<requests::ConnectRequest>,
        }),
        good: &[good(
            200,
            "connected",
            Content::JsonOrHtml(of::<answers::Connected>),
        )],
        errors: &[PARAMETER, SIGNING_KEY_MISSING, KEY, CALENDLY, STORE],
    },
    Route {
        operation: Operation::Disconnect,
        method: Method::DELETE,
        path: "/v1/connections/{id}",
        tag: CONNECTIONS,
        summary: "Disconnect an account",
        description: "Deletes its subscription at Calendly, revokes the access and forgets the \
            tokens. Its bookings stay.",
        access: OPERATE,
        parameters: &[path("id", Kind::Id, "the connection's id")],
        input: None,
        good: &[good(
            200,
            "disconnected",
            Content::Json(of::<answers::Disconnected>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, CALENDLY, OAUTH_APP, STORE],
    },
    Route {
        operation: Operation::Authorize,
        method: Method::GET,
        path: "/v1/auth/authorize",
        tag: CONNECTIONS,
        summary: "Begin to connect an account by OAuth",
        description: "A browser, or a start link, is sent on to Calendly; a program gets the links.",
        access: Access::KeyOrStartLink,
        parameters: &[
            query("routingForms", Kind::Flag, "ask for routing forms, too"),
            query("expires", Kind::Raw(1000), "of a start link"),
            query("signature", Kind::Raw(1000), "of a start link"),
        ],
        input: None,
        good: &[
            good(
                200,
                "the links",
                Content::Json(of::<answers::AuthorizeLinks>),
            ),
            good(302, "to Calendly's page", Content::Empty),
        ],
        errors: &[PARAMETER, KEY, OAUTH_APP, STORE],
    },
    Route {
        operation: Operation::AuthorizeCallback,
        method: Method::GET,
        path: "/v1/auth/callback",
        tag: CONNECTIONS,
        summary: "Where Calendly sends the browser back to",
        description: "Takes a `state` that this service issued, once. Loaded again within a day, the \
            same address answers the same. A browser's page names the account.",
        access: Access::Anyone,
        parameters: &[
            query("state", Kind::Raw(1000), "as it was issued"),
            query("code", Kind::Raw(1000), "Calendly's code"),
            query("error", Kind::Raw(1000), "why there is no code"),
            query(
                "error_description",
                Kind::Text(1000),
                "the same for people; not shown",
            ),
        ],
        input: None,
        good: &[good(
            200,
            "connected",
            Content::JsonOrHtml(of::<answers::Connected>),
        )],
        errors: &[PARAMETER, CALLBACK, CALENDLY, OAUTH_APP, STORE],
    },
    Route {
        operation: Operation::ListSubscriptions,
        method: Method::GET,
        path: "/v1/webhook-subscriptions",
        tag: CONNECTIONS,
        summary: "List webhook subscriptions as Calendly has them",
        description: "A page holds those of up to 20 connections.",
        access: READ,
        parameters: &[
            query("connection", Kind::Id, "only those of this connection"),
            CURSOR,
        ],
        input: None,
        good: &[good(
            200,
            "subscriptions",
            Content::Json(of::<answers::SubscriptionList>),
        )],
        errors: &[PARAMETER, KEY, STORE],
    },
    Route {
        operation: Operation::Subscribe,
        method: Method::POST,
        path: "/v1/webhook-subscriptions",
        tag: CONNECTIONS,
        summary: "Bring a connection's subscription in order",
        description: "As each sync does.",
        access: OPERATE,
        parameters: &[],
        input: Some(Input {
            required: true,
            schema: of::<requests::SubscribeRequest>,
        }),
        good: &[good(
            200,
            "in order",
            Content::Json(of::<answers::SubscriptionWatched>),
        )],
        errors: &[PARAMETER, KEY, CALENDLY, STORE],
    },
    Route {
        operation: Operation::Unsubscribe,
        method: Method::DELETE,
        path: "/v1/webhook-subscriptions/{id}",
        tag: CONNECTIONS,
        summary: "Delete a webhook subscription at Calendly",
        description: "One that a connection needs is made anew by its next sync.",
        access: OPERATE,
        parameters: &[
            path("id", Kind::Id, "last part of the subscription's URI"),
            Parameter {
                required: true,
                ..query(
                    "connection",
                    Kind::Id,
                    "whose subscription it is; the list of subscriptions tells",
                )
            },
        ],
        input: None,
        good: &[good(
            200,
            "deleted",
            Content::Json(of::<answers::Unsubscribed>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, CALENDLY, STORE],
    },
    Route {
        operation: Operation::ReceiveWebhook,
        method: Method::POST,
        path: "/v1/webhooks/calendly",
        tag: WEBHOOKS,
        summary: "Take a webhook of Calendly's",
        description: "",
        access: Access::Signature,
        parameters: &[],
        input: Some(Input {
            required: true,
            schema: of::<requests::WebhookBody>,
        }),
        good: &[good(200, "taken", Content::Json(of::<answers::Accepted>))],
        errors: &[WEBHOOK],
    },
    Route {
        operation: Operation::ReceiveWebhookGeneration,
        method: Method::POST,
        path: "/v1/webhooks/calendly/{generation}",
        tag: WEBHOOKS,
        summary: "Take a webhook of one of several subscriptions",
        description: "The address that this service gives to subscriptions that it makes.",
        access: Access::Signature,
        parameters: &[path(
            "generation",
            Kind::Id,
            "tells subscriptions apart; not read",
        )],
        input: Some(Input {
            required: true,
            schema: of::<requests::WebhookBody>,
        }),
        good: &[good(200, "taken", Content::Json(of::<answers::Accepted>))],
        errors: &[WEBHOOK],
    },
    Route {
        operation: Operation::TestWebhook,
        method: Method::POST,
        path: "/v1/webhooks/calendly/test",
        tag: WEBHOOKS,
        summary: "Try a webhook without Calendly",
        description: "Processed at once, by the same reducer. Only where the stage switches it on \
            (`TestEndpoint`); elsewhere it is not found.",
        access: OPERATE,
        parameters: &[],
        input: Some(Input {
            required: true,
            schema: of::<requests::TestRequest>,
        }),
        good: &[good(
            200,
            "what happened",
            Content::Json(of::<answers::Tested>),
        )],
        errors: &[PARAMETER, KEY, UNKNOWN, TEST, STORE],
    },
    Route {
        operation: Operation::GetHealth,
        method: Method::GET,
        path: "/v1/health",
        tag: SERVICE,
        summary: "Tell that the API answers",
        description: "",
        access: Access::Anyone,
        parameters: &[],
        input: None,
        good: &[good(200, "it does", Content::Json(of::<answers::Health>))],
        errors: &[PARAMETER],
    },
    Route {
        operation: Operation::GetStatus,
        method: Method::GET,
        path: "/v1/status",
        tag: SERVICE,
        summary: "Tell whether all is well, and what needs somebody",
        description: "The reasons come with numbers, the next step and their section of the runbook, the \
            most urgent first; `well` is true while none of them needs somebody today. It is a 200 either \
            way, and also where a part could not be looked at, which then is a reason of its own. The \
            alarms on states tell the same, by the same rules. Codes may be added.",
        access: READ,
        parameters: &[],
        input: None,
        good: &[good(
            200,
            "how it stands",
            Content::Json(of::<platform::health::Report>),
        )],
        errors: &[PARAMETER, KEY],
    },
    Route {
        operation: Operation::GetOpenapi,
        method: Method::GET,
        path: "/v1/openapi.json",
        tag: SERVICE,
        summary: "This document",
        description: "",
        access: Access::Anyone,
        parameters: &[],
        input: None,
        good: &[
            good(200, "the document", Content::AnyJson),
            good(
                304,
                "it is the one that `If-None-Match` names",
                Content::Empty,
            ),
        ],
        errors: &[PARAMETER],
    },
    Route {
        operation: Operation::GetDocs,
        method: Method::GET,
        path: "/v1/docs",
        tag: SERVICE,
        summary: "This document as a page to read and to try",
        description: "",
        access: Access::Anyone,
        parameters: &[],
        input: None,
        good: &[
            good(200, "the page", Content::Html),
            good(
                304,
                "it is the one that `If-None-Match` names",
                Content::Empty,
            ),
        ],
        errors: &[PARAMETER],
    },
    Route {
        operation: Operation::GetDocsAsset,
        method: Method::GET,
        path: "/v1/docs/{asset}",
        tag: SERVICE,
        summary: "A file of that page",
        description: "",
        access: Access::Anyone,
        parameters: &[path(
            "asset",
            Kind::Text(100),
            "its name, as the page has it",
        )],
        input: None,
        good: &[
            good(
                200,
                "the file",
                Content::File(&[
                    "text/javascript; charset=utf-8",
                    "text/css; charset=utf-8",
                    "image/png",
                    "text/plain; charset=utf-8",
                ]),
            ),
            good(
                304,
                "it is the one that `If-None-Match` names",
                Content::Empty,
            ),
        ],
        errors: &[PARAMETER, UNKNOWN],
    },
];
