//! The second line of defence: nothing that the code logs is meant to hold an e-mail address, a
//! token, or a link that cancels a booking; should it, by an error text from elsewhere say, a fixed
//! word takes its place.

use std::borrow::Cow;
use std::ops::Range;

const ADDRESS: &str = "[address]";
const TOKEN: &str = "[token]";
const LINK: &str = "[link]";

/// The shortest thing after `Bearer` that is taken for a token, and not for a word.
const MIN_TOKEN: usize = 12;

/// The text without what must not be logged.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    found.extend(addresses(text).map(|range| (range, ADDRESS)));
    found.extend(tokens(text).map(|range| (range, TOKEN)));
    found.extend(links(text).map(|range| (range, LINK)));
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for (range, word) in found {
        if range.start >= done {
            clean.push_str(&text[done..range.start]);
            clean.push_str(word);
        }
        done = done.max(range.end);
    }
    clean.push_str(&text[done..]);
    Cow::Owned(clean)
}

/// Where the run of characters that `belongs` ends just before `at` begins.
fn left(text: &str, at: usize, belongs: impl Fn(char) -> bool) -> usize {
    at - text[..at]
        .chars()
        .rev()
        .take_while(|c| belongs(*c))
        .map(char::len_utf8)
        .sum::<usize>()
}

/// Where the run of characters that `belongs` begins at `at` ends.
fn right(text: &str, at: usize, belongs: impl Fn(char) -> bool) -> usize {
    at + text[at..]
        .chars()
        .take_while(|c| belongs(*c))
        .map(char::len_utf8)
        .sum::<usize>()
}

/// E-mail addresses, as they are and as a URL's query holds them.
fn addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    ["@", "%40"].into_iter().flat_map(move |sign| {
        let signs = text.match_indices(sign);
        signs.filter_map(move |(at, _)| {
            let start = match text[..at].strip_suffix('"') {
                Some(quoted) => quoted.rfind('"').unwrap_or(0),
                // All that RFC 5322 allows outside of quotes; letters of any language.
                None => left(text, at, |c| {
                    c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c)
                }),
            };
            let host = at + sign.len();
            let end = right(text, host, |c| c.is_alphanumeric() || ".-_[]".contains(c));
            (start < at && host < end).then_some(start..end)
        })
    })
}

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
}

/// JSON Web Tokens, which begin with `{"` in base64, and whatever follows the word `Bearer`.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let jwts = text.match_indices("eyJ").filter_map(|(at, _)| {
        let begins = left(text, at, |c| c.is_ascii_alphanumeric()) == at;
        let end = right(text, at, in_token);
        (begins && end - at >= MIN_TOKEN).then_some(at..end)
    });
    // The first letter may be a capital.
    let bearers = text.match_indices("earer ").filter_map(|(at, word)| {
        let start = at + word.len();
        let start = right(text, start, |c| c == ' ');
        let end = right(text, start, in_token);
        (end - start >= MIN_TOKEN).then_some(start..end)
    });
    jwts.chain(bearers)
}

/// Links by which anybody who has them can cancel or move a booking.
fn links(text: &str) -> impl Iterator<Item = Range<usize>> {
    let in_link = |c: char| !c.is_whitespace() && !"\"'<>()`".contains(c);
    ["/cancellations/", "/reschedulings/"]
        .into_iter()
        .flat_map(move |path| {
            let found = text.match_indices(path);
            found.map(move |(at, _)| left(text, at, in_link)..right(text, at, in_link))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_tokens_and_links_give_way_to_a_word() {
        let cases = [
            ("no ada.booker@example.com here", "no [address] here"),
            ("<søren+日本@exämple.test>", "<[address]>"),
            ("\"odd one\"@example.com, b@c.d", "[address], [address]"),
            ("?inviteeEmail=ada%40example.com", "[address]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln", "[token]"),
            (
                "Authorization: Bearer abcdef-0123456789",
                "Authorization: Bearer [token]",
            ),
            (
                "see https://calendly.com/cancellations/AAAA-1 (now)",
                "see [link] (now)",
            ),
            ("\"https://calendly.com/reschedulings/x\"", "\"[link]\""),
        ];
        for (text, clean) in cases {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn what_says_what_happened_stays() {
        for text in [
            "Bearer realm",
            "send it as `Authorization: Bearer …` or `x-api-key`",
            "at 12:00 @ noon",
            "POST /v1/webhooks/calendly",
            "https://api.calendly.com/scheduled_events/A/invitees/B",
            "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
            "keyJournal",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    fn address() -> impl Strategy<Value = (String, String)> {
        let local = "[a-zA-Z0-9ø日]{1,6}([.+_-][a-z0-9]{1,6}){0,2}";
        let host = "[a-z0-9ä]{2,8}(-[a-z0-9]{1,4})?(\\.[a-z]{2,5}){1,2}";
        (local, host)
    }

    proptest! {
        #[test]
        fn no_address_survives((local, host) in address(), before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let address = format!("{local}@{host}");
            for text in [
                format!("{before} {address} {after}"),
                format!("{before}{address}{after}"),
                format!("{before}<{address}>{after}"),
                format!("{before} {local}%40{host} {after}"),
            ] {
                let clean = redact(&text);
                prop_assert!(!clean.contains(&address), "{clean}");
                let quoted = format!("{local}%40{host}");
                prop_assert!(!clean.contains(&quoted), "{clean}");
            }
        }

        #[test]
        fn ids_times_and_uris_stay(uuid in any::<[u8; 16]>(), sha in any::<[u8; 32]>(), at in 0_i64..4_000_000_000, word in "[A-Z0-9]{16}") {
            let (uuid, sha) = (uuid::Uuid::from_bytes(uuid), hex::encode(sha));
            let at = jiff::Timestamp::from_second(at).unwrap();
            let text = format!(
                "{uuid} {sha} {at} https://api.calendly.com/scheduled_events/{uuid}/invitees/{word} \
                 https://api.calendly.com/users/{word}"
            );
            prop_assert_eq!(redact(&text), text.as_str());
        }
    }
}
