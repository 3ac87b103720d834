//! The joins that records are made of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::cmp::Ordering;
use std::io;

/// When a value was true, by the provider's own clock: compared by `updated` first, then by
/// `observed`.
///
/// Both in microseconds since the epoch, which is the provider's precision. `observed` is needed
/// because some changes don't move `updated_at` (a conference link that becomes ready, for one);
/// it comes from the message that carried the value, and alone it orders badly: Calendly cuts its
/// envelope's time to whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    updated: i64,
    observed: i64,
}

impl Stamp {
    /// A stamp from the object's own `updated_at` and the latest time its message speaks of.
    pub fn new(updated: Timestamp, observed: Timestamp) -> Self {
        Self {
            updated: updated.as_microsecond(),
            observed: observed.max(updated).as_microsecond(),
        }
    }

    /// The stamp of what no message of this time tells: before that of anything told.
    pub(crate) fn guessed(self) -> Self {
        Self {
            updated: i64::MIN,
            ..self
        }
    }
}

/// A value with the time it was true: of two, the later stays. Equal times are decided by the
/// values' own bytes, so that the choice never depends on which came first.
///
/// Stored as `[updated, observed, value]`: records have many of them, and are billed by their length.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "(i64, i64, T)")]
pub struct Latest<T> {
    at: Stamp,
    /// The value.
    pub value: T,
}

impl<T> From<(i64, i64, T)> for Latest<T> {
    fn from((updated, observed, value): (i64, i64, T)) -> Self {
        Self {
            at: Stamp { updated, observed },
            value,
        }
    }
}

impl<T: Serialize> Serialize for Latest<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.at.updated, self.at.observed, &self.value).serialize(serializer)
    }
}

impl<T: Serialize + PartialEq> Latest<T> {
    /// `value`, true at `at`.
    pub fn new(at: Stamp, value: T) -> Self {
        Self { at, value }
    }

    /// The same value of something that can be taken away.
    pub fn some(self) -> Latest<Option<T>> {
        Latest {
            at: self.at,
            value: Some(self.value),
        }
    }

    /// When the value was true, by the object's own `updated_at`.
    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.at.updated).ok()
    }

    /// Which of the two is the later; of the same time, by their bytes.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at).then_with(|| {
            if self.value == other.value {
                return Ordering::Equal;
            }
            bytes(&self.value).cmp(&bytes(&other.value))
        })
    }
}

/// A value that can be taken away again: nothing while nobody has said, and else what was said
/// last, which can be that there is none.
pub type Removable<T> = Option<Latest<Option<T>>>;

/// The bytes by which values of the same time are compared. Nothing comes before something, in each
/// part of a value as well: the shorter of two messages says nothing against the longer.
fn bytes<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut json = serde_json::Serializer::with_formatter(&mut bytes, NothingFirst);
    value.serialize(&mut json).ok().map(|()| bytes)
}

/// JSON whose `null` sorts before every other value.
struct NothingFirst;

impl serde_json::ser::Formatter for NothingFirst {
    fn write_null<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&[0])
    }
}

/// Joins two optional [`Latest`]: something beats nothing, later beats earlier.
pub(crate) fn latest<T: Serialize + PartialEq + Clone>(
    mine: &mut Option<Latest<T>>,
    theirs: &Option<Latest<T>>,
) {
    if let Some(theirs) = theirs
        && mine
            .as_ref()
            .is_none_or(|mine| theirs.compare(mine).is_gt())
    {
        *mine = Some(theirs.clone());
    }
}

/// The greater of two, where something is greater than nothing.
pub(crate) fn max_of<T: Ord + Clone>(mine: &mut Option<T>, theirs: &Option<T>) {
    if theirs > mine {
        mine.clone_from(theirs);
    }
}

/// The lesser of two, where something beats nothing.
pub(crate) fn min_of<T: Ord + Clone>(mine: &mut Option<T>, theirs: &Option<T>) {
    if let Some(value) = theirs
        && mine.as_ref().is_none_or(|mine| value < mine)
    {
        *mine = Some(value.clone());
    }
}
