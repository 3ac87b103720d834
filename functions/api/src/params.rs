//! Query parameters, path ids and cursors: bounded, and named in the error when they are wrong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use lambda_http::{Request, RequestExt};
use platform::http::Problem;
use serde::de::DeserializeOwned;

/// Items on a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// Most items on a page.
const MAX_LIMIT: usize = 100;
/// The longest value of a parameter.
const MAX_VALUE: usize = 1000;

/// The query parameters of one request.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Takes the parameters, all of which must be in `known`: a misspelt filter that did nothing
    /// would be worse than an error.
    pub fn of(request: &Request, known: &[&str]) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for (name, value) in request.query_string_parameters().iter() {
            if !known.contains(&name) {
                let known = known.join(", ");
                return Err(Problem::parameter(
                    &name.chars().take(50).collect::<String>(),
                    format!(
                        "unknown; this route takes: {}",
                        if known.is_empty() { "none" } else { &known }
                    ),
                ));
            }
            if all.iter().any(|(seen, _)| seen == name) {
                return Err(Problem::parameter(name, "given more than once"));
            }
            if value.len() > MAX_VALUE {
                return Err(Problem::parameter(
                    name,
                    format!("longer than {MAX_VALUE} characters"),
                ));
            }
            all.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(all))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `limit`: 1 to 100, 20 by default.
    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(value) = self.get("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        match value.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(Problem::parameter(
                "limit",
                format!("must be a whole number from 1 to {MAX_LIMIT}"),
            )),
        }
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(time) => Ok(Some(time)),
            Err(_) => Err(Problem::parameter(
                name,
                "must be an RFC 3339 time such as 2027-01-31T09:00:00Z",
            )),
        }
    }

    /// Where a page of the list `list` begins.
    pub fn cursor(&self, list: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self.get("cursor") else {
            return Ok(None);
        };
        let place = URL_SAFE_NO_PAD
            .decode(value)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| Some(text.strip_prefix(&format!("{list} "))?.to_owned()))
            .filter(|place| !place.is_empty() && !place.chars().any(char::is_control));
        match place {
            Some(place) => Ok(Some(place)),
            None => Err(Problem::parameter(
                "cursor",
                "must be the nextCursor of a page of this list",
            )),
        }
    }
}

/// A JSON object as the body, all of whose fields are optional; nothing is an empty one. `form`
/// says in the error what is taken.
pub fn object<T: Default + DeserializeOwned>(request: &Request, form: &str) -> Result<T, Problem> {
    let body: &[u8] = request.body().as_ref();
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    // Read as an object first: a list would be taken for the fields in their order.
    serde_json::from_slice::<serde_json::Map<_, _>>(body)
        .and_then(|fields| serde_json::from_value(fields.into()))
        .map_err(|error| {
            Problem::parameter("body", format!("must be {form}, all optional: {error}"))
        })
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
        Params::of(&request, &["limit", "from", "cursor"])
    }

    #[test]
    fn the_limit_has_bounds_and_a_default() {
        assert_eq!(params(&[]).unwrap().limit(), Ok(20));
        assert_eq!(params(&[("limit", "1")]).unwrap().limit(), Ok(1));
        assert_eq!(params(&[("limit", "100")]).unwrap().limit(), Ok(100));
        for bad in ["0", "101", "-1", "ten", "", "1.5"] {
            let problem = params(&[("limit", bad)]).unwrap().limit().unwrap_err();
            assert_eq!(problem.code, "INVALID_PARAMETER");
            assert!(problem.message.starts_with("limit"), "{bad}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_named() {
        let problem = params(&[("limt", "5")]).unwrap_err();
        assert!(problem.message.contains("limt") && problem.message.contains("limit"));
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let own = cursor("events", "2027-01#e");
        let read = params(&[("cursor", &own)]).unwrap();
        assert_eq!(read.cursor("events").unwrap().unwrap(), "2027-01#e");
        assert!(read.cursor("dead-letters").is_err());
        assert!(
            params(&[("cursor", "!!")])
                .unwrap()
                .cursor("events")
                .is_err()
        );
    }

    #[test]
    fn a_bad_time_is_named() {
        let problem = params(&[("from", "tomorrow")])
            .unwrap()
            .time("from")
            .unwrap_err();
        assert!(problem.message.starts_with("from"));
    }
}
