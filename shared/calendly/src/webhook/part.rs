//! A part of a body that is read with a record of what was not understood.

use super::json::{self, kind};
use super::notes::Notes;
use booking::{Latest, Removable, Stamp, cut};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Number, Value};

/// A value, and where it stands. Its readers take every form that can mean only one thing, and note
/// what they leave out.
#[derive(Clone)]
pub(super) struct Part<'a> {
    pub(super) value: &'a Value,
    place: String,
    notes: &'a Notes,
}

impl<'a> Part<'a> {
    /// `value`, which stands at `place`; the whole has no place.
    pub(super) fn new(value: &'a Value, place: &str, notes: &'a Notes) -> Self {
        Self {
            value,
            place: place.to_owned(),
            notes,
        }
    }

    /// Another value in this one's place.
    pub(super) fn with(&self, value: &'a Value) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }

    /// Notes something about this part.
    pub(super) fn note(&self, what: &str) {
        self.notes.add(&self.place, what);
    }

    /// A field, even one that says nothing.
    pub(super) fn field(&self, name: &str) -> Option<Part<'a>> {
        let value = self.value.get(name)?;
        let place = if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        };
        Some(Self {
            value,
            place,
            notes: self.notes,
        })
    }

    /// A field that says something.
    pub(super) fn given(&self, name: &str) -> Option<Part<'a>> {
        self.field(name).filter(|part| !part.is_blank())
    }

    pub(super) fn is_blank(&self) -> bool {
        json::is_blank(self.value)
    }

    /// The entries of a list.
    pub(super) fn entries(&self) -> Option<Vec<Part<'a>>> {
        let entries = self.value.as_array()?.iter().enumerate();
        let entries = entries.map(|(number, value)| Self {
            value,
            place: format!("{}[{number}]", self.place),
            notes: self.notes,
        });
        Some(entries.collect())
    }

    /// Notes that this part is not what it should be, and is left out.
    pub(super) fn not(&self, wanted: &str) {
        let kind = kind(self.value);
        self.note(&format!("is {kind}, and not {wanted}: left out"));
    }

    fn or_not<T>(&self, read: Option<T>, wanted: &str) -> Option<T> {
        if read.is_none() {
            self.not(wanted);
        }
        read
    }

    /// Words that people wrote, of `max` bytes in JSON at most. Of whatever kind they are, they are
    /// kept.
    pub(super) fn text(&self, max: usize) -> Option<String> {
        self.whole_text().map(|text| self.short(text, max).0)
    }

    /// Such words at any length.
    pub(super) fn whole_text(&self) -> Option<String> {
        if let Value::Null = self.value {
            return None;
        }
        Some(json::word(self.value).unwrap_or_else(|| {
            self.note(&format!(
                "is {}, and not a text: kept as JSON",
                kind(self.value)
            ));
            self.value.to_string()
        }))
    }

    /// `text`, which stands here, cut to `max` bytes, and whether it was.
    pub(super) fn short(&self, text: String, max: usize) -> (String, bool) {
        match cut(&text, max) {
            Some(cut) => {
                self.note(&format!("takes more than {max} bytes: cut"));
                (cut, true)
            }
            None => (text, false),
        }
    }

    /// One word, such as the name of a time zone: it means something only as a whole.
    pub(super) fn word(&self, max: usize) -> Option<String> {
        let word = json::word(self.value);
        self.in_whole(self.or_not(word, "a text")?, max)
    }

    /// A word of letters: an address is no number.
    pub(super) fn letters(&self, wanted: &str, max: usize) -> Option<String> {
        let word = self.value.as_str().map(str::to_owned);
        self.in_whole(self.or_not(word, wanted)?, max)
    }

    fn in_whole(&self, word: String, max: usize) -> Option<String> {
        if cut(&word, max).is_none() {
            return Some(word);
        }
        self.note(&format!("takes more than {max} bytes: left out"));
        None
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        let time = self.or_not(json::time(self.value), "a time that can be read")?;
        if time.zone_assumed {
            self.note("has no time zone: taken as UTC");
        }
        Some(time.at)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.or_not(json::flag(self.value), "true or false that can be read")
    }

    pub(super) fn int(&self) -> Option<i64> {
        self.or_not(json::int(self.value), "a whole number that can be read")
    }

    pub(super) fn number(&self) -> Option<Number> {
        self.or_not(json::number(self.value), "a number that can be read")
    }

    /// The URI of a thing of `collection`.
    pub(super) fn uri(&self, collection: &str) -> Option<String> {
        let uri = json::uri(self.value, collection);
        self.in_whole(self.or_not(uri, "a URI")?, super::limits::URI)
    }

    /// An object with something in it.
    pub(super) fn object(self) -> Option<Part<'a>> {
        let is_object = self.value.is_object().then_some(());
        self.or_not(is_object, "an object")?;
        Some(self)
    }

    // The same of a field that says something.

    pub(super) fn text_of(&self, name: &str, max: usize) -> Option<String> {
        self.given(name)?.text(max)
    }

    /// What `read` makes of a field that may have been taken away: null, or a text without anything
    /// in it, says that there is none (any more). A field that is missing says nothing.
    pub(super) fn removable<T: Serialize + PartialEq>(
        &self,
        name: &str,
        at: Stamp,
        read: impl Fn(Part<'a>) -> Option<T>,
    ) -> Removable<T> {
        let part = self.field(name)?;
        let value = match part.value {
            Value::Null | Value::String(_) if part.is_blank() => None,
            _ if part.is_blank() => return None,
            _ => Some(read(part)?),
        };
        Some(Latest::new(at, value))
    }

    pub(super) fn word_of(&self, name: &str, max: usize) -> Option<String> {
        self.given(name)?.word(max)
    }

    pub(super) fn time_of(&self, name: &str) -> Option<Timestamp> {
        self.given(name)?.time()
    }

    pub(super) fn flag_of(&self, name: &str) -> Option<bool> {
        self.given(name)?.flag()
    }

    pub(super) fn int_of(&self, name: &str) -> Option<i64> {
        self.given(name)?.int()
    }

    pub(super) fn uri_of(&self, name: &str, collection: &str) -> Option<String> {
        self.given(name)?.uri(collection)
    }

    pub(super) fn object_of(&self, name: &str) -> Option<Part<'a>> {
        self.given(name)?.object()
    }
}
