//! Hosts and guests of a meeting.

use super::json::is_blank;
use super::limits::{LINE, PEOPLE, WORD};
use super::part::Part;
use booking::{Guest, Host, stored_len};
use serde_json::Value;

/// What an entry takes in its record besides its texts.
const AROUND: usize = 40;

/// `event_memberships`: a list, or the one host.
pub(super) fn hosts(meeting: &Part<'_>) -> Option<Vec<Host>> {
    let size = |host: &Host| {
        let texts = [&host.uri, &host.name, &host.email].into_iter().flatten();
        texts.map(|text| stored_len(text)).sum()
    };
    list(meeting, "event_memberships", host, size)
}

/// `event_guests`: a list, or the one guest.
pub(super) fn guests(meeting: &Part<'_>) -> Option<Vec<Guest>> {
    let size = |guest: &Guest| stored_len(&guest.email);
    list(meeting, "event_guests", guest, size)
}

fn list<T>(
    meeting: &Part<'_>,
    name: &str,
    read: fn(&Part<'_>) -> Option<T>,
    size: fn(&T) -> usize,
) -> Option<Vec<T>> {
    let part = meeting.field(name)?;
    let entries = match part.value {
        Value::Array(_) => part.entries()?,
        _ if part.is_blank() => return None,
        _ => vec![part.clone()],
    };
    let filled = entries.iter().filter(|entry| !entry.is_blank());
    let mut left = PEOPLE;
    let mut out = 0_usize;
    let mut people = Vec::new();
    for one in filled.filter_map(read) {
        let Some(room) = left.checked_sub(AROUND + size(&one)) else {
            out += 1;
            continue;
        };
        left = room;
        people.push(one);
    }
    if out > 0 {
        part.note(&format!(
            "takes more than {PEOPLE} bytes in all: {out} of its entries left out"
        ));
    }
    // A list that names nobody says that there is nobody; one of which nothing could be read doesn't.
    let unread = people.is_empty() && !is_blank(part.value);
    (!unread).then_some(people)
}

/// `{user, user_name, user_email}`, or a URI or address alone.
fn host(part: &Part<'_>) -> Option<Host> {
    let mut host = Host::default();
    match part.value {
        Value::Object(_) => {
            host.uri = part.uri_of("user", "users");
            host.name = part.text_of("user_name", LINE);
            let email = part.given("user_email");
            host.email = email.and_then(|email| email.letters("an e-mail address", WORD));
        }
        Value::String(text) if text.contains("://") => host.uri = part.uri("users"),
        Value::String(text) if text.contains('@') => host.email = part.word(WORD),
        Value::String(_) => host.name = part.text(LINE),
        _ => part.not("a host"),
    }
    let known = host.uri.is_some() || host.name.is_some() || host.email.is_some();
    if !known && part.value.is_object() {
        part.note("names no host that can be read: left out");
    }
    known.then_some(host)
}

/// `{email}`, or the address alone.
fn guest(part: &Part<'_>) -> Option<Guest> {
    let email = match part.value {
        Value::Object(_) => {
            let email = part.given("email");
            if email.is_none() {
                part.note("has no e-mail address: left out");
            }
            email?.letters("an e-mail address", WORD)
        }
        _ => part.letters("an e-mail address", WORD),
    };
    email.map(|email| Guest { email })
}
