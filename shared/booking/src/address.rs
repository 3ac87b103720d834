//! E-mail addresses, in the one form in which they are compared.
//!
//! One mailbox is written in many ways, and each of these is the same address here:
//!
//! | written | why it is the same |
//! |---|---|
//! | `Ada@Example.COM`, `ÄDA@…` | hardly any mail server tells cases apart |
//! | composed or decomposed (NFC, NFD), full width (NFKC) | they look alike, and keyboards differ |
//! | `straße@…`, `STRASSE@…` | Unicode folds both to `strasse`; upper case has no ß |
//! | `ada@bücher.example`, `ada@xn--bcher-kva.example` | IDNA |
//! | `ada@example.com.` | the root of all domains, written out |
//! | `"ada"@example.com` | quotes don't count (RFC 5321, 4.1.2) |
//! | `Ada <ada@example.com>`, `mailto:ada@example.com?subject=x` | the address is within |
//! | `ada%40example.com` | as in a URL |
//!
//! What makes another mailbox stays: dots and `+tags` before the `@` mean something to some servers
//! and nothing to others.

use icu_normalizer::ComposingNormalizerBorrowed;
use idna::AsciiDenyList;
use idna::uts46::{Hyphens, Uts46};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The longest text that is read as one address, in bytes: the 254 characters that mail can be sent
/// to (RFC 5321), with room for a name, quotes and escapes.
pub(crate) const MAX_ADDRESS: usize = 1024;

/// An e-mail address in its one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// The address that a text is, in whichever way it is written; nothing for other texts.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_ADDRESS {
            return None;
        }
        let text = plain(text);
        Self::bare(&text).or_else(|| Self::bare(&within(&text)))
    }

    /// The address that a plain text is, with nothing around it.
    pub(crate) fn bare(text: &str) -> Option<Self> {
        let (local, domain) = text.trim().rsplit_once('@')?;
        if domain.ends_with('_') {
            return None;
        }
        let quoted = local.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        match quoted {
            Some(quoted) => Self::of(&unescaped(quoted), domain),
            None if local.contains(is_separator) => None,
            None => Self::of(local, domain),
        }
    }

    /// The address of what stands before and after its `@`.
    pub(crate) fn of(local: &str, domain: &str) -> Option<Self> {
        let domain = domain.trim_end_matches('.');
        if local.is_empty() || domain.is_empty() || !domain.chars().all(is_domain) {
            return None;
        }
        Some(Self(format!("{}@{}", folded(local), domain_of(domain))))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a text is without its invisible parts, and with letters written in their usual way. Parts of
/// such a text are such texts themselves.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let visible = text.chars().filter(|c| !is_invisible(*c));
    // IDNA takes the full stop of Chinese and Japanese for a dot.
    let dotted = |c| {
        if matches!(c, '\u{3002}' | '\u{ff61}') {
            '.'
        } else {
            c
        }
    };
    let visible: String = visible.map(dotted).collect();
    Cow::Owned(NFKC.normalize(&visible).into_owned())
}

/// A plain text, such that those that differ in their cases alone are the same. That is Unicode's full
/// case folding: by way of capitals, of which `ß` and `ς` have none of their own.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // `ẞ` is a capital already, and its small letter isn't `ss`.
    let capitals = text.to_lowercase().to_uppercase();
    let small: String = capitals.chars().flat_map(char::to_lowercase).collect();
    NFKC.normalize(&small).into_owned()
}

/// A domain in Unicode, whether or not it was. One that no server could have stays as it is written.
fn domain_of(domain: &str) -> String {
    if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
        return domain.to_ascii_lowercase();
    }
    let uts46 = Uts46::new();
    let (unicode, read) = uts46.to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    folded(if read.is_ok() { &unicode } else { domain })
}

/// The address within a text that has a name or a scheme before it.
fn within(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let text = match text.strip_suffix('>').and_then(|it| it.rsplit_once('<')) {
        Some((_, address)) => address.trim(),
        None => text,
    };
    let scheme = "mailto:";
    let mail = text
        .get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if mail {
        let address = text[scheme.len()..].split('?').next().unwrap_or_default();
        return percent_decode_str(address).decode_utf8_lossy();
    }
    if text.contains('@') {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// What stands between quotes, without the backslashes before `"` and `\`.
pub(crate) fn unescaped(quoted: &str) -> String {
    let mut plain = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        });
    }
    plain
}

/// What no address has in it, but between quotes.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c)
}

/// What a domain consists of: letters, marks on them, digits and few signs.
pub(crate) fn is_domain(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    }
    let punctuation =
        matches!(c, '\u{a1}'..='\u{bf}' | '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{301f}');
    !punctuation && !is_separator(c)
}

/// Signs that nobody sees, and that copying and pasting leaves in addresses.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<String> {
        Address::parse(text).map(|address| address.0)
    }

    #[test]
    fn an_address_is_the_same_in_whichever_way_it_is_written() {
        let same: &[(&str, &[&str])] = &[
            (
                "ada.b+x@example.com",
                &[
                    "Ada.B+X@Example.COM",
                    " ada.b+x@example.com\n",
                    "ada.b+x@example.com.",
                    "\"ada.b+x\"@example.com",
                    "\"ada.\\b+x\"@example.com",
                    "Ada Booker <ada.b+x@example.com>",
                    "\"Booker, Ada <x>\" <Ada.B+x@example.com>",
                    "<ada.b+x@example.com>",
                    "mailto:ada.b+x@example.com",
                    "MAILTO:ada.b%2Bx%40example.com?subject=a@b",
                    "ada.b+x%40example.com",
                    "ada.b+x\u{ff20}example.com",
                    "\u{ff21}da.b+x@example.com",
                    "ada.b+x\u{200b}@exam\u{ad}ple.com",
                ],
            ),
            (
                "jos\u{e9}@b\u{fc}cher.example",
                &[
                    "jose\u{301}@bu\u{308}cher.example",
                    "JOS\u{c9}@B\u{dc}CHER.example",
                    "jos\u{e9}@xn--bcher-kva.example",
                    "JOSE\u{301}@XN--BCHER-KVA.EXAMPLE.",
                ],
            ),
            (
                "strasse@strasse.example",
                &[
                    "stra\u{df}e@stra\u{df}e.example",
                    "STRA\u{1e9e}E@STRASSE.EXAMPLE",
                    "Stra\u{df}e@xn--strae-oqa.example",
                ],
            ),
            ("\u{3c3}\u{3c3}@x.y", &["\u{3a3}\u{3c2}@x.y"]),
            ("a b@c.d", &["\"a b\"@c.d", "\"A\\ B\"@c.d"]),
            ("a@b@c.d", &["\"a@b\"@c.d", "A@B@C.D"]),
            ("a/b@c.d", &["A/b@c.d."]),
            ("a@b", &["a@b"]),
        ];
        for (want, all) in same {
            for text in *all {
                assert_eq!(form(text).as_deref(), Some(*want), "{text}");
            }
        }
    }

    #[test]
    fn other_texts_are_no_addresses() {
        let long = format!("{}@x.y", "a".repeat(MAX_ADDRESS));
        for other in [
            "", "11-50", "@", "ada@", "@ada", "ada @b", "a@b c@d", "a@b, c@d", "<>", "a@b/c",
            "mailto:", "ada@.", "50%", &long,
        ] {
            assert_eq!(form(other), None, "{other}");
        }
    }

    #[test]
    fn what_makes_another_mailbox_stays() {
        let all = [
            "ada@x.com",
            "joada@x.com",
            "a.da@x.com",
            "ada+1@x.com",
            "ada@x.com.au",
            "ada@x.co",
            "\u{e0}da@x.com",
            "ada@y.x.com",
            "o'ada@x.com",
            "x/ada@x.com",
        ];
        let forms: std::collections::BTreeSet<_> = all.map(form).into();
        assert_eq!(forms.len(), all.len());
    }
}
