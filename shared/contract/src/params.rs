//! Query parameters, path ids and cursors: bounded, and named in the error when they are wrong.

use crate::route::{Operation, Route};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::fmt::temporal::Pieces;
use lambda_http::{Request, RequestExt};
use platform::deliveries::{DeliveryId, MIN_PREFIX};
use platform::http::Problem;

/// Items on a page unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 20;
/// Most items on a page.
pub const MAX_LIMIT: usize = 100;
/// The longest value of a parameter, in characters.
pub const MAX_VALUE: usize = 1000;
/// The longest e-mail address (RFC 5321: 256 with its angle brackets).
pub const MAX_EMAIL: usize = 254;

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
}

/// What a parameter's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id: the last part of a Calendly URI.
    Id,
    /// A delivery's id: 64 hex digits.
    DeliveryId,
    /// The first digits of a delivery's id.
    DeliveryIdPrefix,
    /// A sync's id: a UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// A page's size.
    Limit,
    /// A time.
    Time,
    /// The `nextCursor` of another page.
    Cursor,
    /// `true` or `false`.
    Flag,
    /// One of these.
    Words(&'static [&'static str]),
    /// Any text up to so many characters.
    Text(usize),
    /// The same, or nothing: what it is worth is found out by its route.
    Raw(usize),
}

/// A parameter of a route.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether it must be there. Those of the path must.
    pub required: bool,
    /// What its value may be.
    pub kind: Kind,
    /// What it does.
    pub about: &'static str,
}

impl Kind {
    /// What is wrong with a value.
    fn wrong(self, value: &str) -> Option<String> {
        let wrong = |must: &str| Some(must.to_owned());
        match self {
            Self::Id if !is_id(value) => {
                wrong("must be an id: up to 100 letters, digits, hyphens and underscores")
            }
            Self::DeliveryId if !(value.len() == 64 && value.bytes().all(is_hex)) => {
                wrong("must be 64 hex digits")
            }
            Self::DeliveryIdPrefix if !DeliveryId::is_prefix(value) => Some(format!(
                "must be the first hex digits of an id: {MIN_PREFIX} to 64"
            )),
            Self::Uuid if !is_uuid(value) => wrong("must be a UUID"),
            Self::Email if !is_email(value) => {
                Some(format!("must be an e-mail address{}", plus(value)))
            }
            Self::Limit => match value.parse() {
                Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => None,
                _ => Some(format!("must be a whole number from 1 to {MAX_LIMIT}")),
            },
            Self::Time if time(value).is_none() => Some(format!(
                "must be an RFC 3339 time such as 2027-01-31T09:00:00Z{}",
                plus(value)
            )),
            Self::Flag if !matches!(value, "true" | "false") => wrong("must be true or false"),
            Self::Words(words) if !words.contains(&value) => {
                Some(format!("must be one of: {}", words.join(", ")))
            }
            Self::Text(longest) if value.is_empty() || longer(value, longest) => {
                Some(format!("must have from 1 to {longest} characters"))
            }
            Self::Raw(longest) if longer(value, longest) => {
                Some(format!("must have up to {longest} characters"))
            }
            _ => None,
        }
    }
}

/// The time that a text says. `9999-12-31T23:59:59Z`, which programs write for "no end", lies a day
/// after the last [`Timestamp`] there is, and is taken for that one.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let last = || {
        let pieces = Pieces::parse(text).ok()?;
        let whole = pieces.time().is_some() && pieces.offset().is_some();
        let beyond = whole && pieces.date() >= date(9999, 12, 30);
        beyond.then_some(Timestamp::MAX)
    };
    text.parse().ok().or_else(last)
}

/// Whether this may be the last part of a Calendly URI.
pub fn is_id(value: &str) -> bool {
    (1..=100).contains(&value.len())
        && value
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

fn longer(value: &str, most: usize) -> bool {
    value.chars().nth(most).is_some()
}

fn is_hex(c: u8) -> bool {
    matches!(c, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether this is a UUID as this service writes them.
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == b'-',
            _ => is_hex(c),
        })
}

fn is_email(value: &str) -> bool {
    let parts = value.split_once('@');
    !longer(value, MAX_EMAIL)
        && parts.is_some_and(|(name, domain)| {
            !name.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
        && !value
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '/')
}

/// Whether these are the parameters of a start link.
fn is_start_link<'a>(route: &Route, mut names: impl Iterator<Item = &'a str>) -> bool {
    route.operation == Operation::Authorize
        && names.any(|name| matches!(unescaped(name), "expires" | "signature"))
}

/// A parameter's name without what is left of a `&` that was written as `&amp;`, once or more often,
/// in a page or a mail.
fn unescaped(name: &str) -> &str {
    name.trim_start_matches("amp;")
}

/// What to say of a value that has a space and can't: it was a `+`, most likely.
fn plus(value: &str) -> &'static str {
    if value.contains(' ') {
        "; a + in a query is a space: write it as %2B"
    } else {
        ""
    }
}

/// The parameters of one request, each as its route has it.
#[derive(Debug)]
pub struct Params {
    ids: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
}

impl Params {
    /// Takes the parameters of a request to `route`, whose path has `ids`. All must be known: a
    /// misspelt filter that did nothing would be worse than an error. Only in addresses that others
    /// have had their hands on are the rest passed over: where Calendly sends a browser back, and in
    /// a start link, to which mailers add parameters of their own.
    pub fn of(request: &Request, route: &Route, ids: Vec<String>) -> Result<Self, Problem> {
        let named = |place| {
            let fitting = route.parameters.iter();
            fitting.filter(move |parameter| parameter.place == place)
        };
        let ids = named(Place::Path).map(|parameter| parameter.name).zip(ids);
        let given = request.query_string_parameters();
        let linked = is_start_link(route, given.iter().map(|(name, _)| name));
        let mut query: Vec<(String, String)> = Vec::new();
        for (name, value) in given.iter() {
            let name = if linked { unescaped(name) } else { name };
            let Some(parameter) = named(Place::Query).find(|known| known.name == name) else {
                if linked || route.operation == Operation::AuthorizeCallback {
                    continue;
                }
                let known: Vec<_> = named(Place::Query).map(|known| known.name).collect();
                let known = known.join(", ");
                return Err(Problem::parameter(
                    &name.chars().take(50).collect::<String>(),
                    format!(
                        "unknown; this route takes: {}",
                        if known.is_empty() { "none" } else { &known }
                    ),
                ));
            };
            if query.iter().any(|(seen, _)| seen == name) {
                return Err(Problem::parameter(name, "given more than once"));
            }
            if longer(value, MAX_VALUE) {
                return Err(Problem::parameter(
                    name,
                    format!("longer than {MAX_VALUE} characters"),
                ));
            }
            if let Some(wrong) = parameter.kind.wrong(value) {
                return Err(Problem::parameter(name, wrong));
            }
            query.push((name.to_owned(), value.to_owned()));
        }
        let missing = named(Place::Query)
            .find(|known| known.required && !query.iter().any(|(name, _)| name == known.name));
        if let Some(missing) = missing {
            return Err(Problem::parameter(
                missing.name,
                format!("is missing: {}", missing.about),
            ));
        }
        Ok(Self {
            ids: ids.collect(),
            query,
        })
    }

    /// A query parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A path parameter's value; nothing where it can't name a thing of that kind, which is then not
    /// found.
    pub fn id(&self, route: &Route, name: &str) -> Option<&str> {
        let kind = route
            .parameters
            .iter()
            .find(|known| known.name == name)?
            .kind;
        let found = self.ids.iter().find(|(known, _)| *known == name);
        let value = found.map(|(_, value)| value.as_str())?;
        kind.wrong(value).is_none().then_some(value)
    }

    /// `limit`: 1 to 100, 20 by default.
    pub fn limit(&self) -> usize {
        let given = self.get("limit").and_then(|value| value.parse().ok());
        given.unwrap_or(DEFAULT_LIMIT)
    }

    /// A time.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        time(self.get(name)?)
    }

    /// A flag; false where it isn't given.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// `from` and `to`, which must not lie before it.
    pub fn span(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let (from, to) = (self.time("from"), self.time("to"));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return Err(Problem::parameter("to", "must not lie before from"));
        }
        Ok((from, to))
    }

    /// Where a page of the list `list` begins, as `read` takes its place.
    pub fn cursor<T>(
        &self,
        list: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get("cursor") else {
            return Ok(None);
        };
        let text = URL_SAFE_NO_PAD
            .decode(value)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let place = text
            .as_deref()
            .and_then(|text| text.strip_prefix(list)?.strip_prefix(' '))
            .filter(|place| !place.is_empty() && !place.chars().any(char::is_control));
        let place = place.and_then(read).ok_or_else(|| {
            Problem::parameter(
                "cursor",
                "must be the nextCursor of a page of this list, asked for with the same sort",
            )
        })?;
        Ok(Some(place))
    }
}

/// The cursor that [`Params::cursor`] reads: opaque to callers, and of no use to another list.
pub fn cursor(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list} {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn params(query: &[(&str, &str)]) -> Result<Params, Problem> {
        let map: HashMap<String, Vec<String>> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
        let request = Request::default().with_query_string_parameters(map);
        let route = Route::of(Operation::ListEvents).unwrap();
        Params::of(&request, route, vec![])
    }

    #[test]
    fn the_limit_has_bounds_and_a_default() {
        assert_eq!(params(&[]).unwrap().limit(), 20);
        assert_eq!(params(&[("limit", "1")]).unwrap().limit(), 1);
        assert_eq!(params(&[("limit", "100")]).unwrap().limit(), 100);
        for bad in ["0", "101", "-1", "ten", "", "1.5"] {
            let problem = params(&[("limit", bad)]).unwrap_err();
            assert_eq!(problem.code, "INVALID_PARAMETER");
            assert!(problem.message.starts_with("limit"), "{bad}");
        }
    }

    #[test]
    fn a_time_may_lie_at_either_end_of_the_calendar() {
        let from = |text| params(&[("from", text)]).map(|params| params.time("from").unwrap());
        for (text, is) in [
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("9999-12-30T21:00:00Z", "9999-12-30T21:00:00Z"),
        ] {
            assert_eq!(from(text).unwrap().to_string(), is);
        }
        for text in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.5-12:00"] {
            assert_eq!(from(text).unwrap(), Timestamp::MAX, "{text}");
        }
        for bad in [
            "9999-12-31",
            "9999-12-31T23:59:59",
            "9999-12-32T00:00:00Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert!(from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value) in [
            ("limt", "5"),
            ("from", "tomorrow"),
            ("status", "gone"),
            ("inviteeEmail", "a b@c"),
            ("inviteeEmail", "a@b@c"),
            ("connection", "../x"),
            ("sort", "name"),
        ] {
            let problem = params(&[(name, value)]).unwrap_err();
            assert!(problem.message.starts_with(name), "{}", problem.message);
        }
        let long = "x".repeat(1001);
        assert!(params(&[("cursor", &long)]).is_err());
        let before = [
            ("from", "2027-01-02T00:00:00Z"),
            ("to", "2027-01-01T00:00:00Z"),
        ];
        assert!(params(&before).unwrap().span().is_err());
    }

    #[test]
    fn a_plus_that_came_as_a_space_is_named() {
        for (name, value) in [
            ("inviteeEmail", "jane doe@example.com"),
            ("from", "2027-01-31T09:00:00 01:00"),
        ] {
            let problem = params(&[(name, value)]).unwrap_err();
            assert!(problem.message.contains("%2B"), "{}", problem.message);
            let plus = value.replace(' ', "+");
            assert_eq!(params(&[(name, &plus)]).unwrap().get(name), Some(&*plus));
        }
        let problem = params(&[("inviteeEmail", "nobody")]).unwrap_err();
        assert!(!problem.message.contains("%2B"), "{}", problem.message);
    }

    #[test]
    fn a_start_link_may_have_been_through_a_mailer() {
        let authorize = |query: &[(&str, &str)]| {
            let map: HashMap<String, Vec<String>> = query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
                .collect();
            let request = Request::default().with_query_string_parameters(map);
            Params::of(&request, Route::of(Operation::Authorize).unwrap(), vec![])
        };
        let long = "x".repeat(MAX_VALUE + 1);
        let params = authorize(&[
            ("expires", "1"),
            ("amp;signature", "ab"),
            ("amp;amp;routingForms", "true"),
            ("utm_source", "newsletter"),
            ("mc_eid", &long),
        ])
        .unwrap();
        assert_eq!(params.get("signature"), Some("ab"));
        assert!(params.flag("routingForms"));
        assert_eq!(params.get("utm_source"), None);
        // Not a start link: whoever has a key is told of a misspelt name.
        for name in ["utm_source", "routingform", "amp;routingForms"] {
            let problem = authorize(&[(name, "true")]).unwrap_err();
            assert!(problem.message.starts_with(name), "{}", problem.message);
        }
        // One of them twice leaves open which is meant.
        let problem = authorize(&[("expires", "1"), ("amp;expires", "2")]).unwrap_err();
        assert!(
            problem.message.starts_with("expires"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn calendly_may_add_parameters_of_its_own() {
        let map: HashMap<_, _> = [("state", "s"), ("code", ""), ("iss", "https://x.test")]
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .into();
        let request = Request::default().with_query_string_parameters(map);
        let route = Route::of(Operation::AuthorizeCallback).unwrap();
        let params = Params::of(&request, route, vec![]).unwrap();
        assert_eq!(
            (params.get("state"), params.get("code")),
            (Some("s"), Some(""))
        );
        assert_eq!(params.get("iss"), None);
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let own = cursor("events", "2027-01#e");
        let any = |place: &str| Some(place.to_owned());
        let read = params(&[("cursor", &own)]).unwrap();
        assert_eq!(read.cursor("events", any).unwrap().unwrap(), "2027-01#e");
        assert!(read.cursor("dead-letters", any).is_err());
        let bad = params(&[("cursor", "!!")]).unwrap();
        assert!(bad.cursor("events", any).is_err());
    }
}
