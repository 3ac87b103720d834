//! Values of several parts, of which a message can tell one and leave out the others.
//!
//! Compared as a whole, the shorter of two messages would take away what only the longer one says. So
//! each part has its own latest telling. A part is shown with the others as long as it is of the same
//! thing: the end of a meeting belongs to the start that it was told with.

use crate::merge::{Latest, Stamp};
use serde::{Deserialize, Serialize, Serializer};

/// A value of several parts.
pub trait Parts: Clone + PartialEq + Serialize {
    /// Which of its parts it tells, as bits. That it says anything at all is one of them.
    fn told(&self) -> u8;

    /// Takes over what an older telling says of the same thing, and this one leaves out.
    fn fill(&mut self, older: &Self);
}

/// The bits of [`Parts::told`]: that there is anything, and which of these parts are there.
pub(crate) fn bits<const N: usize>(parts: [bool; N]) -> u8 {
    parts
        .iter()
        .fold(1, |bits, part| bits << 1 | u8::from(*part))
}

/// Takes a part over that is missing.
pub(crate) fn fill<T: Clone>(mine: &mut Option<T>, older: &Option<T>) {
    if mine.is_none() {
        mine.clone_from(older);
    }
}

/// Whether two tellings are of the same thing, by what names it: one that doesn't say may be of any.
pub(crate) fn is_same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// A value each of whose parts is the one that was told last.
///
/// Join: for each part the latest telling that has it. What is kept is the set of these tellings, which
/// is hardly ever more than one, and stored as a list of them, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    try_from = "Vec<Latest<T>>",
    bound(deserialize = "T: Parts + Deserialize<'de>")
)]
pub struct ByPart<T> {
    tellings: Vec<Latest<T>>,
    /// What they say together. Derived: a change goes through [`Self::each`].
    pub value: T,
}

impl<T: Serialize> Serialize for ByPart<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tellings.serialize(serializer)
    }
}

impl<T: Parts> TryFrom<Vec<Latest<T>>> for ByPart<T> {
    type Error = &'static str;

    fn try_from(tellings: Vec<Latest<T>>) -> Result<Self, Self::Error> {
        let first = tellings.first().ok_or("a value that was never told")?;
        let mut read = Self {
            value: first.value.clone(),
            tellings,
        };
        read.reduce();
        Ok(read)
    }
}

impl<T: Parts> ByPart<T> {
    /// `value`, true at `at`.
    pub fn new(at: Stamp, value: T) -> Self {
        Self {
            tellings: vec![Latest::new(at, value.clone())],
            value,
        }
    }

    /// `value`, of which no message tells, and which follows from one of `at`: it gives way to whatever
    /// is told, however old.
    pub fn guessed(at: Stamp, value: T) -> Self {
        Self::new(at.guessed(), value)
    }

    /// Joins what `other` tells of it.
    fn merge(&mut self, other: &Self) {
        self.tellings.extend(other.tellings.iter().cloned());
        self.reduce();
    }

    /// Changes all that is kept of it.
    pub(crate) fn each(&mut self, change: impl Fn(&mut T)) {
        for telling in &mut self.tellings {
            change(&mut telling.value);
        }
        self.reduce();
    }

    /// Keeps the latest telling of each part, and takes from them what is shown.
    fn reduce(&mut self) {
        self.tellings.sort_by(|a, b| b.compare(a));
        let mut known = 0;
        self.tellings.retain(|telling| {
            let tells_more = telling.value.told() & !known != 0;
            known |= telling.value.told();
            tells_more
        });
        let mut tellings = self.tellings.iter();
        if let Some(latest) = tellings.next() {
            self.value = latest.value.clone();
        }
        for older in tellings {
            self.value.fill(&older.value);
        }
    }
}

/// Joins two optional values by their parts: something beats nothing.
pub(crate) fn by_part<T: Parts>(mine: &mut Option<ByPart<T>>, theirs: &Option<ByPart<T>>) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine != theirs => mine.merge(theirs),
        (mine @ None, theirs) => mine.clone_from(theirs),
        _ => {}
    }
}
