//! Error answers that several routes share.

use crate::route::Error;

pub(crate) const fn error(status: u16, code: &'static str, about: &'static str) -> Error {
    Error {
        status,
        code,
        about,
    }
}

/// Those of the way to any route.
pub(crate) const EVERY: &[Error] = &[
    error(
        400,
        "INVALID_REQUEST",
        "no request: a query with characters that must be percent-encoded, a Host that names none",
    ),
    error(
        500,
        "INTERNAL_ERROR",
        "a fault of the service; the log line with this tracking id says where",
    ),
];

pub(crate) const KEY: &[Error] = &[
    error(401, "UNAUTHORIZED", "no API key, or a wrong one"),
    error(403, "FORBIDDEN", "the key lacks the scope"),
    error(
        500,
        "API_KEY_UNAVAILABLE",
        "the API key secret can't be read",
    ),
];

pub(crate) const STORE: &[Error] = &[
    error(
        500,
        "STORED_RECORD_UNREADABLE",
        "a stored record can't be read",
    ),
    error(
        500,
        "ANSWER_TOO_LARGE",
        "one stored thing is more than an answer can hold, with its long texts cut",
    ),
    error(
        503,
        "STORE_UNAVAILABLE",
        "the store or the queue can't be reached; try again",
    ),
];

pub(crate) const PARAMETER: &[Error] = &[error(
    400,
    "INVALID_PARAMETER",
    "a parameter or the body can't be used; the text names it",
)];

pub(crate) const UNKNOWN: &[Error] = &[error(404, "NOT_FOUND", "there is no such thing")];

pub(crate) const CALENDLY: &[Error] = &[
    error(
        400,
        "TOKEN_REFUSED",
        "Calendly does not take the account's token",
    ),
    error(
        403,
        "MISSING_SCOPE",
        "Calendly did not grant what this needs",
    ),
    error(
        502,
        "CALENDLY_UNAVAILABLE",
        "Calendly did not answer, or not as it should",
    ),
];

pub(crate) const OAUTH_APP: &[Error] = &[
    error(500, "OAUTH_APP_MISSING", "no OAuth app is configured"),
    error(
        500,
        "CALENDLY_URL_INVALID",
        "the address of Calendly's authorize page can't be read",
    ),
];

pub(crate) const CALLBACK: &[Error] = &[
    error(400, "STATE_MISSING", "the answer has no state"),
    error(
        400,
        "STATE_INVALID",
        "the authorization is not known, was used with another answer of Calendly's, or is too old",
    ),
    error(400, "CODE_MISSING", "the answer has no code"),
    error(400, "CODE_INVALID", "Calendly does not take the code"),
    error(
        400,
        "AUTHORIZATION_FAILED",
        "Calendly ended the authorization with an error",
    ),
    error(403, "ACCESS_DENIED", "access was not granted"),
    error(
        409,
        "AUTHORIZATION_UNDER_WAY",
        "the same page was loaded before and is not answered yet; load it again in a moment",
    ),
    error(500, "OAUTH_APP_REFUSED", "Calendly does not know the app"),
];

pub(crate) const WEBHOOK: &[Error] = &[
    error(401, "INVALID_SIGNATURE", "no, malformed or wrong signature"),
    error(
        401,
        "STALE_SIGNATURE",
        "right signature, but its time is outside the tolerance",
    ),
    error(413, "PAYLOAD_TOO_LARGE", "the body is over 1 MiB"),
    error(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not JSON by its content type",
    ),
    error(
        429,
        "RATE_LIMITED",
        "too many refused requests from this address; see `Retry-After`",
    ),
    error(
        500,
        "SIGNING_KEY_UNAVAILABLE",
        "no signing key, or it can't be read",
    ),
    error(
        503,
        "STORE_UNAVAILABLE",
        "log or queue can't be reached; Calendly tries again",
    ),
];

pub(crate) const TEST: &[Error] = &[
    error(413, "PAYLOAD_TOO_LARGE", "the body is over 64 KiB"),
    error(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not JSON by its content type",
    ),
    error(
        429,
        "RATE_LIMITED",
        "more than 10 refused requests from this address in 5 minutes; see `Retry-After`",
    ),
];

pub(crate) const ERASED: &[Error] = &[error(
    410,
    "DELIVERY_ERASED",
    "its body was erased with the person whom it was about",
)];

pub(crate) const NOT_DEAD: &[Error] = &[error(
    409,
    "NOT_DEAD",
    "only a dead delivery can be discarded; the text says how this one stands",
)];

pub(crate) const SIGNING_KEY_MISSING: &[Error] = &[error(
    400,
    "SIGNING_KEY_MISSING",
    "the Calendly secret has no signing key",
)];
