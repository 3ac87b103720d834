//! How much of a body's texts is kept, in bytes of JSON.
//!
//! A record has to fit an item of DynamoDB's, of 400 kB; the delivery keeps the whole body. Each limit
//! is far beyond what Calendly lets people write (10,000 characters in an answer). All that one body
//! can bring into a record stays within 380 KiB, even if none of it can be compressed: into an
//! invitee's 350,000 bytes, of which its event's cancellation is a part; into an event's 190,000 beside
//! its roster, which brings 200,000.

/// Names of people and meetings, and other single lines.
pub(super) const LINE: usize = 1_000;
/// A single word: a time zone, a currency, a phone number, an e-mail address.
pub(super) const WORD: usize = 400;
/// A URI, or a link.
pub(super) const URI: usize = 2_000;
/// A value of tracking: Calendly may drop those over 255 characters.
pub(super) const TRACKING: usize = 1_500;
/// A reason, or terms.
pub(super) const REASON: usize = 20_000;
/// Notes of a meeting.
pub(super) const NOTES: usize = 40_000;
/// A question.
pub(super) const QUESTION: usize = 4_000;
/// An answer: 10,000 characters of any script.
pub(super) const ANSWER: usize = 40_000;
/// All questions and answers of one booking, or of one form.
pub(super) const ANSWERS: usize = 260_000;
/// Hosts, and guests: each list.
pub(super) const PEOPLE: usize = 40_000;
/// A location, or where a form led: whatever the provider gives.
pub(super) const OTHER: usize = 30_000;
