//! Lenient access to JSON: what is not of the wanted type is not there.

use booking::{Latest, Removable, Stamp};
use jiff::Timestamp;
use serde_json::Value;

pub(super) trait Json {
    fn field(&self, name: &str) -> Option<&Value>;

    /// A string; `null`, and any other type, is nothing.
    fn text(&self, name: &str) -> Option<String> {
        self.field(name)?.as_str().map(str::to_owned)
    }

    /// A string with something in it.
    fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A string that may have been taken away: `null`, or a text without anything in it, says that
    /// there is none. A field that is missing says nothing.
    fn removable(&self, name: &str, at: Stamp) -> Removable<String> {
        let value = self.field(name)?;
        let said = value.is_null() || value.is_string();
        said.then(|| Latest::new(at, self.filled(name)))
    }

    /// An ISO 8601 time. The fraction is cut to microseconds, the provider's own precision.
    fn time(&self, name: &str) -> Option<Timestamp> {
        let time: Timestamp = self.field(name)?.as_str()?.trim().parse().ok()?;
        Timestamp::from_microsecond(time.as_microsecond()).ok()
    }

    fn flag(&self, name: &str) -> bool {
        self.field(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.field(name)?.as_i64()
    }

    fn object(&self, name: &str) -> Option<&Value> {
        self.field(name).filter(|value| value.is_object())
    }

    fn array(&self, name: &str) -> Option<&Vec<Value>> {
        self.field(name)?.as_array()
    }

    /// A URI: itself a string, or within an object that stands for the thing.
    fn uri(&self, name: &str) -> Option<String> {
        let value = self.field(name)?;
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.text("uri"))
    }
}

impl Json for Value {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}
