//! JSON values in every form that can mean only one thing: a number written as a text, a time
//! without its `T`, a thing by its id. What is not of the wanted kind is not there.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::{Number, Value};
use std::ops::Range;

/// Where Calendly's things are named.
pub(super) const API: &str = "https://api.calendly.com";

/// A time, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) at: Timestamp,
    /// No time zone was told, and UTC is taken.
    pub(super) zone_assumed: bool,
}

/// Fields of an object, whoever made it.
pub(super) trait Json {
    fn field(&self, name: &str) -> Option<&Value>;

    /// A string, or what else can be written as one word.
    fn text(&self, name: &str) -> Option<String> {
        word(self.field(name)?)
    }

    /// A text with something in it.
    fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        time(self.field(name)?).map(|time| time.at)
    }

    fn int(&self, name: &str) -> Option<i64> {
        int(self.field(name)?)
    }

    fn object(&self, name: &str) -> Option<&Value> {
        self.field(name).filter(|value| value.is_object())
    }

    /// A URI: itself a string, or within an object that stands for the thing.
    fn uri(&self, name: &str) -> Option<String> {
        let value = self.field(name)?;
        let uri = match value {
            Value::Object(_) => value.field("uri")?,
            other => other,
        };
        uri.as_str().map(str::to_owned)
    }
}

impl Json for Value {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// Whether a value says nothing: null, or an empty text, list or object, or one of nothing but these.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(fields) => fields.values().all(is_blank),
    }
}

/// What kind of thing a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A text, number, or true or false, as text.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let text = number.to_string();
            // Programs with one kind of number write whole ones like this, too.
            Some(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
        }
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// True or false, also as a word or as 1 and 0.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match word(value)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number, also as a text or with a fraction of nothing.
pub(super) fn int(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(_) | Value::String(_) => word(value)?,
        _ => return None,
    };
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// A number, also as a decimal text. One with a comma could mean two things, and is none.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            let plain = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'.' | b'-'));
            if !plain {
                return None;
            }
            text.parse::<i64>()
                .map(Number::from)
                .ok()
                .or_else(|| Number::from_f64(text.parse().ok()?))
        }
        _ => None,
    }
}

/// A time: ISO 8601, with a space for its `T`, with `UTC` for its `Z`, without a zone (taken as
/// UTC) or with the name of one (`[America/New_York]`), also in digits alone, or as seconds,
/// milliseconds or microseconds since 1970. The fraction is cut to microseconds, the provider's own
/// precision. Times before 1970 are none: programs write them that have no word for "none".
pub(super) fn time(value: &Value) -> Option<Time> {
    let told = |at| Time {
        at,
        zone_assumed: false,
    };
    let time = match value {
        Value::String(text) => {
            let text = text.trim();
            let since = || text.parse().ok().and_then(epoch).map(told);
            written_time(text).or_else(since).or_else(|| digits(text))?
        }
        Value::Number(number) => {
            let since = number.as_f64().and_then(epoch).map(told);
            since.or_else(|| digits(&word(value)?))?
        }
        _ => return None,
    };
    let at = Timestamp::from_microsecond(time.at.as_microsecond()).ok()?;
    (at >= Timestamp::UNIX_EPOCH).then_some(Time { at, ..time })
}

fn written_time(text: &str) -> Option<Time> {
    let told = |at| Time {
        at,
        zone_assumed: false,
    };
    // An offset says all, whatever zone is named behind it.
    if let Ok(at) = text.parse() {
        return Some(told(at));
    }
    // `2027-03-10T10:00:00[America/New_York]`
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Some(told(zoned.timestamp()));
    }
    // `2027-03-10 10:00:00 +0100`
    if let Some((date, offset)) = text.rsplit_once(' ')
        && offset.starts_with(['+', '-'])
        && let Ok(at) = format!("{date}{offset}").parse()
    {
        return Some(told(at));
    }
    let zone = ["UTC", "GMT"].iter().find_map(|zone| {
        let at = text.len().checked_sub(zone.len())?;
        let (date, end) = (text.get(..at)?, text.get(at..)?);
        end.eq_ignore_ascii_case(zone).then(|| date.trim_end())
    });
    let pieces = Pieces::parse(zone.unwrap_or(text)).ok()?;
    // What is left of a zone by now is one that isn't known, or another one than UTC beside it.
    let other = pieces.to_numeric_offset().is_some_and(|it| !it.is_zero());
    if other || pieces.time_zone_annotation().is_some() {
        return None;
    }
    // A date alone is no time.
    let time = pieces.date().to_datetime(pieces.time()?);
    Some(Time {
        at: TimeZone::UTC.to_timestamp(time).ok()?,
        zone_assumed: zone.is_none(),
    })
}

/// The years 2000 to 2099 in seconds since 1970: a number outside of them is no time since then, but
/// something else, such as a date in digits.
const EPOCH: Range<f64> = 946_684_800.0..4_102_444_800.0;

/// Since 1970 in seconds, milliseconds or microseconds: which of them, only its size tells.
fn epoch(number: f64) -> Option<Timestamp> {
    let micros = [1e6, 1e3, 1.0].into_iter().find_map(|factor| {
        let micros = number * factor;
        EPOCH.contains(&(micros / 1e6)).then_some(micros)
    })?;
    let since = SignedDuration::try_from_secs_f64(micros / 1e6).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()
}

/// A date and a time of day in digits alone, with seconds or without: `20270310100000`.
fn digits(text: &str) -> Option<Time> {
    let all = matches!(text.len(), 12 | 14) && text.bytes().all(|c| c.is_ascii_digit());
    let (date, time) = all.then(|| text.split_at_checked(8)).flatten()?;
    let civil: DateTime = format!("{date}T{time}").parse().ok()?;
    let at = TimeZone::UTC.to_timestamp(civil).ok()?;
    let likely = (2000..2100).contains(&civil.year());
    likely.then_some(Time {
        at,
        zone_assumed: true,
    })
}

/// The URI of a thing of `collection`: as it is, of an id, or of an object with one of these.
pub(super) fn uri(value: &Value, collection: &str) -> Option<String> {
    let named = match value {
        Value::Object(_) => ["uri", "uuid", "id"]
            .iter()
            .find_map(|name| value.field(name).filter(|value| !is_blank(value)))?,
        other => other,
    };
    let name = match named {
        Value::String(_) | Value::Number(_) => word(named)?,
        _ => return None,
    };
    let name = name.trim();
    if name.contains("://") {
        return Some(name.to_owned());
    }
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let id = !name.is_empty() && name.chars().all(is_id);
    id.then(|| format!("{API}/{collection}/{name}"))
}
