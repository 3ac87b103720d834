//! Whom a body names: the addresses in it, wherever they are and however they are written.

use crate::ContactKey;
use crate::address::{self, Address, MAX_ADDRESS, is_domain, is_separator};
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// How often a text is decoded: JSON and URLs stand within each other.
const ROUNDS: usize = 4;
/// How far back from its `@` an address may begin, in bytes.
const REACH: usize = 320;
/// In how many places an address may begin that has signs in it such as `=` and `/`.
const BEGINNINGS: usize = 8;

/// Everybody whom a body names. An address within a longer text counts where it stands for itself:
/// `ann@x.com` is not in `joann@x.com`, nor in `ann@x.com.au`.
pub fn people_in(body: &[u8]) -> BTreeSet<ContactKey> {
    let mut people = BTreeSet::new();
    each_text(body, &mut |text| {
        people.extend(addresses(text).iter().map(ContactKey::from));
    });
    people
}

/// Whether a body names somebody.
pub fn names(body: &[u8], contact: &ContactKey) -> bool {
    let mut found = false;
    each_text(body, &mut |text| {
        found = found || text_names(text, contact);
    });
    found
}

/// Whether a text names somebody.
pub fn text_names(text: &str, contact: &ContactKey) -> bool {
    addresses(text)
        .iter()
        .any(|address| ContactKey::from(address) == *contact)
        || is_named(text, contact)
}

/// Whether a text is somebody's address, and nothing else.
pub fn is_named(text: &str, contact: &ContactKey) -> bool {
    // What is no address can stand where one should.
    text.len() <= MAX_ADDRESS && ContactKey::of(text) == *contact
}

/// Calls `see` with every text of a body, names of fields included. Of fields of one name, all count:
/// what a parser would pass over is stored all the same. What isn't JSON is one text.
fn each_text(body: &[u8], see: &mut dyn FnMut(&str)) {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Texts(see).deserialize(&mut json).and_then(|()| json.end());
    if read.is_err() {
        see(&String::from_utf8_lossy(body));
    }
}

struct Texts<'a>(&'a mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.0)(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Texts(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key_seed(Texts(&mut *self.0))?.is_some() {
            fields.next_value_seed(Texts(&mut *self.0))?;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

/// The addresses that a text names. Where an address could begin in several places, each counts.
fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut text = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let may = |c: char| matches!(c, '@' | '%' | '\\') || !c.is_ascii();
        if !text.contains(may) {
            break;
        }
        in_plain(&address::plain(&text), &mut found);
        match decoded(&text) {
            Some(next) => text = Cow::Owned(next),
            None => break,
        }
    }
    found
}

/// A text without the escapes of a JSON string and of a URL; nothing where it has none.
fn decoded(text: &str) -> Option<String> {
    let unescaped = unescaped(text);
    let decoded = percent_decode_str(&unescaped).decode_utf8_lossy();
    (decoded != text).then(|| decoded.into_owned())
}

/// A text without the escapes of a JSON string.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut high = None;
    while let Some(part) = parts.next() {
        let unit = part
            .strip_prefix('u')
            .and_then(|it| it.get(..4))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        if let Some(unit) = unit {
            let units = high.take().into_iter().chain([unit]);
            let letter = char::decode_utf16(units).last().and_then(Result::ok);
            plain.extend(letter);
            high = letter.is_none().then_some(unit);
            plain.push_str(&part[5..]);
            if part.len() > 5 {
                high = None;
            }
            continue;
        }
        high = None;
        if part.is_empty() {
            // Two in a row stand for one.
            plain.push('\\');
            plain.push_str(parts.next().unwrap_or_default());
        } else if let Some(rest) = part.strip_prefix(['n', 'r', 't', 'b', 'f']) {
            plain.push(' ');
            plain.push_str(rest);
        } else {
            plain.push_str(part);
        }
    }
    plain
}

fn in_plain(text: &str, found: &mut Vec<Address>) {
    // What is one address is no other's; but for signs that lists and URLs have.
    let bare = Address::bare(text);
    let quoted = text.trim_start().starts_with('"');
    let several = text.contains(['=', '&', '?'])
        || text.contains(is_caseless)
        || text.matches('@').nth(1).is_some();
    let whole = bare.is_some() && (quoted || !several && !text.starts_with('/'));
    found.extend(bare);
    if whole {
        return;
    }
    for (at, _) in text.match_indices('@') {
        let domains = domains(&text[at + 1..]);
        if domains.is_empty() {
            continue;
        }
        let mut reach = at.saturating_sub(REACH);
        while !text.is_char_boundary(reach) {
            reach += 1;
        }
        let before = &text[reach..at];
        let locals = match before.strip_suffix('"').and_then(opened) {
            Some(quoted) => vec![address::unescaped(quoted)],
            None => locals(before),
        };
        for domain in domains {
            let all = locals.iter().filter_map(|local| Address::of(local, domain));
            found.extend(all);
        }
    }
}

/// What stands after the quote that opens what ends here.
fn opened(text: &str) -> Option<&str> {
    let mut quotes = text.rmatch_indices('"').map(|(at, _)| at);
    quotes
        .find(|at| !text[..*at].ends_with('\\'))
        .map(|at| &text[at + 1..])
}

/// The domains with which a text can begin: none where it goes on to be another's.
fn domains(text: &str) -> Vec<&str> {
    let end = text.find(|c| !is_domain(c)).unwrap_or(text.len());
    if text[end..].starts_with('@') {
        return Vec::new();
    }
    let ends = ['.', '-', '_'];
    let domain = text[..end].trim_end_matches(ends);
    // Scripts without spaces go on at once.
    let western = domain.find(|c: char| !c.is_ascii() && is_caseless(c));
    let short = western.map(|end| domain[..end].trim_end_matches(ends));
    let all = [Some(domain), short].into_iter().flatten();
    all.filter(|domain| !domain.is_empty()).collect()
}

/// What may be the part before the `@` at a text's end.
fn locals(text: &str) -> Vec<String> {
    let word = text
        .char_indices()
        .rfind(|(_, c)| is_separator(*c))
        .map_or(text, |(at, c)| &text[at + c.len_utf8()..]);
    let mut found = vec![word];
    let after_address = word.rfind('@').map(|at| {
        let rest = &word[at + 1..];
        let end = rest.find(|c| !is_domain(c)).unwrap_or(rest.len());
        at + 1 + end
    });
    for (at, c) in word.char_indices().rev() {
        if found.len() > BEGINNINGS {
            break;
        }
        let before = word[..at].chars().next_back();
        let begins = match c {
            // As in `o'brien`.
            '\'' | '\u{2019}' => before.is_none_or(|c| !c.is_alphanumeric()),
            // With which an address may begin, but hardly does.
            '_' | '.' | '-' | '+' => {
                before.is_none_or(|c| !c.is_alphanumeric()) || after_address == Some(at)
            }
            '=' | '&' | '?' | '/' | '{' | '}' | '|' | '*' | '#' | '!' | '$' | '^' | '`' | '~'
            | '%' => true,
            c => is_caseless(c) || !c.is_ascii() && !c.is_alphanumeric(),
        };
        if begins {
            found.push(&word[at + c.len_utf8()..]);
        }
    }
    let all = found.into_iter().filter(|local| !local.is_empty());
    all.map(str::to_owned).collect()
}

/// Letters of scripts that have no cases: Chinese, Japanese and others, which write no spaces.
fn is_caseless(c: char) -> bool {
    !c.is_ascii() && c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "ann@x.com";

    fn finds(text: &str, address: &str) -> bool {
        let contact = ContactKey::of(address);
        let named = text_names(text, &contact);
        let people = people_in(serde_json::json!({ "a": text }).to_string().as_bytes());
        assert_eq!(named, people.contains(&contact), "{text}");
        named
    }

    #[test]
    fn an_address_is_found_within_a_text() {
        for text in [
            "Ann@X.com",
            "mail ann@x.com, please",
            "ann@x.com.",
            "(ann@x.com)",
            "<ann@x.com>",
            "Ann <ann@x.com>, Bob <bob@y.com>",
            "bob@y.com,ann@x.com;c@d.e",
            "'ann@x.com'",
            "*ann@x.com*",
            "_ann@x.com_",
            "to:ann@x.com!",
            "mailto:bob@y.com?cc=ann@x.com",
            "https://a.b/c?email=ann%40x.com&d=e",
            "https://a.b/ann@x.com/c",
            "/contacts/ann@x.com",
            "email=ann@x.com&b=c",
            "bob@y.com/ann@x.com",
            "bob@y.com+ann@x.com",
            "\"ann\"@x.com",
            "say \"ann\"@x.com",
            "https://a.b/?to=%2561nn%2540x.com",
            r#"{"to":"\u0061nn\u0040x.com"}"#,
            r"a\nann@x.com",
            "\u{8acb}ann@x.com\u{8acb}",
            "ann@x.com\u{3002}",
            "\u{201e}ann@x.com\u{201c}",
            "ann\u{ff20}x.com",
            "re: ann@x.com\u{2014}now",
            "\u{2019}ann@x.com\u{2019}",
        ] {
            assert!(finds(text, ANN), "{text}");
        }
    }

    #[test]
    fn neighbours_are_not_found() {
        for text in [
            "joann@x.com",
            "jo-ann@x.com",
            "jo.ann@x.com",
            "jo+ann@x.com",
            "jo_ann@x.com",
            "o'ann@x.com",
            "see o'ann@x.com",
            "jo\u{eb}ann@x.com",
            "ann@x.com.au",
            "ann@x.comb",
            "ann@x.com-b.de",
            "ann@x.com_b",
            "ann@x.com@y.com",
            "b@ann@x.com",
            "ann@ x.com",
            "ann",
            "x.com",
            "ann/b@x.com",
            "b/ann@x.com",
            "ann@y.x.com",
            "\"b ann\"@x.com",
            "ann+1@x.com",
            "mail joann@x.com or ann@x.com.au",
            "https://a.b/?c=joann%40x.com",
            "",
            "@",
            "@@",
            "ann@",
        ] {
            assert!(!finds(text, ANN), "{text}");
        }
    }

    #[test]
    fn rare_addresses_are_found_whole() {
        for address in [
            "ann/sales@x.com",
            "\"a b\"@x.com",
            "a@b@x.com",
            "o'brien@x.com",
            "b\u{fc}@b\u{fc}.de",
            "\u{4f8b}@\u{4f8b}.jp",
            "a=b@x.com",
            "{x}@x.com",
        ] {
            for text in [
                address.to_owned(),
                format!("mail {address}, please"),
                format!("<{address}>"),
            ] {
                assert!(finds(&text, address), "{text}");
            }
        }
    }

    #[test]
    fn what_a_parser_would_pass_over_counts() {
        let contact = ContactKey::of(ANN);
        for body in [
            r#"{"email": "ann@x.com", "email": "bob@y.com"}"#,
            r#"{"ann@x.com": 1}"#,
            r#"[[{"a": ["ANN\u0040x.com"]}]]"#,
            r#"{"email": "ann@x.com""#,
            r#"{"email": "\ud800", "to": "ann\u0040x.com"}"#,
            "ann@x.com: no JSON",
        ] {
            assert!(names(body.as_bytes(), &contact), "{body}");
            assert!(people_in(body.as_bytes()).contains(&contact), "{body}");
        }
        assert!(names(b"\xff ann@x.com", &contact));
        let deep = format!("{}\"ann@x.com\"", "[".repeat(1000));
        assert!(names(deep.as_bytes(), &contact));
        for body in [
            "",
            "{}",
            r#"{"email": "joann@x.com"}"#,
            "joann@x.com: no JSON",
        ] {
            assert!(!names(body.as_bytes(), &contact), "{body}");
        }
    }

    #[test]
    fn what_stands_for_an_address_and_is_none_is_found_as_it_is() {
        let contact = ContactKey::of("Ann at home");
        assert!(names(br#"{"email": "ann at HOME "}"#, &contact));
        assert!(!names(br#"{"email": "joann at home"}"#, &contact));
    }
}
